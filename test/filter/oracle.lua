-- Run by tshark (-X lua_script:…): which frames each display filter selects. FILTERS names a file with a filter a line,
-- OUT the file to write: line number, OK or ERR, and the frame numbers or the message.
local out = io.open(os.getenv("OUT"), "w")
local selected = {}
local count = 0
for filter in io.lines(os.getenv("FILTERS")) do
  count = count + 1
  local frames = {}
  local fine, tap = pcall(Listener.new, nil, filter)
  if fine then
    selected[count] = frames
    function tap.packet(pinfo) frames[#frames + 1] = pinfo.number end
  else
    out:write(count, "\tERR\t", (tostring(tap):gsub("%s+", " ")), "\n")
  end
end
-- The last listener draws last.
local last = Listener.new("frame")
function last.draw()
  for line = 1, count do
    if selected[line] then out:write(line, "\tOK\t", table.concat(selected[line], ","), "\n") end
  end
  out:close()
end
