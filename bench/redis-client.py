"""A Redis client that writes down all that it asked and was told, to hold netlens' account against: random commands over
RESP2 and RESP3, one at a time and pipelined, a connection each. It shares no code with netlens.

    python3 bench/redis-client.py HOST PORT COMMANDS LOG [SEED]

Its latencies are those of its kernel, as instrumented clients take them (SO_TIMESTAMPING): from when the segment with the
last octet of a command left the socket until the segment with the first octet of its reply came in. When a busy machine
lets the client run is no matter of the server's; what its clock said right before send() is written down, too. A segment
that overtakes a lost one keeps the time at which it came though it cannot be read yet: from there on, until all is
answered, replies count as come when the client is woken to read them.
"""
import gc
import json
import random
import socket
import struct
import sys
import time

# Of Linux; the socket module does not name them. What leaves is stamped on its way to the network device; the stamp names
# its last octet.
SO_TIMESTAMPING, IP_RECVERR = 37, 11
RECEIVED = 1 << 3 | 1 << 4  # RX_SOFTWARE, SOFTWARE
LEFT = 1 << 7 | 1 << 8 | 1 << 11  # OPT_ID, TX_SCHED, OPT_TSONLY
# Where struct tcp_info counts segments that came out of order.
RCV_OOOPACK = 224
clock = time.clock_gettime_ns
REALTIME = time.CLOCK_REALTIME  # what the kernel's stamps are of

WORDS = ["ada", "bob", "", "two words", "ünïcödé ✓", "$5\r\nhello", "*", "0", "-17", "3.25", "x" * 300, "end\r\n"]
FIELDS = [f"field{i}" for i in range(12)]


def key(kind):
    return f"{kind}:{pick.randrange(20)}"


def word():
    return pick.choice(WORDS)


def field():
    return pick.choice(FIELDS)


# By what their key holds; the first argument is the key, where there is one.
COMMANDS = [
    lambda: ["SET", key("s"), word()],
    lambda: ["GET", key("s")],
    lambda: ["get", key("missing")],
    lambda: ["APPEND", key("a"), pick.choice(["x", "yz"])],
    lambda: ["GETRANGE", key("a"), "0", "40"],
    lambda: ["INCR", key("n")],
    lambda: ["IncrBy", key("n"), str(pick.randrange(-500, 500))],
    lambda: ["DEL", key("s")],
    lambda: ["EXISTS", key("n")],
    lambda: ["MSET", key("s"), word(), key("s"), word()],
    lambda: ["MGET", key("s"), key("s"), key("missing")],
    lambda: ["HSET", key("h"), field(), word(), field(), word()],
    lambda: ["HGET", key("h"), field()],
    lambda: ["HGETALL", key("h")],
    lambda: ["HDEL", key("h"), field()],
    lambda: ["RPUSH", key("l"), word(), word()],
    lambda: ["LRANGE", key("l"), "0", "9"],
    lambda: ["LPOP", key("l")],
    lambda: ["SADD", key("set"), field(), field()],
    lambda: ["SMEMBERS", key("set")],
    lambda: ["SISMEMBER", key("set"), field()],
    lambda: ["ZADD", key("z"), str(pick.randrange(1000) / 8), field()],
    lambda: ["ZRANGE", key("z"), "0", "3", "WITHSCORES"],
    lambda: ["ZSCORE", key("z"), field()],
    lambda: ["TTL", key("s")],
    lambda: ["TYPE", pick.choice(["s:1", "h:1", "none"])],
    # Errors: the wrong type, no such command, too few arguments.
    lambda: ["LPUSH", key("h"), "x"],
    lambda: ["NOSUCHCOMMAND", "x"],
    lambda: ["GET"],
    lambda: ["PING"],
    lambda: ["ECHO", word()],
]
QUEUED = [COMMANDS[0], COMMANDS[1], COMMANDS[5], COMMANDS[22]]
# Of a command that nobody knows the first argument counts as the key.
KEYLESS = {"PING", "ECHO", "MULTI", "EXEC", "HELLO"}


def following():
    """The next commands that belong together: one, or a transaction."""
    if pick.randrange(40) > 0:
        return [pick.choice(COMMANDS)()]
    inside = [pick.choice(QUEUED)() for _ in range(pick.randrange(1, 5))]
    return [["MULTI"], *inside, ["EXEC"]]


def encode(words):
    parts = [b"*%d\r\n" % len(words)]
    for text in words:
        octets = text.encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(octets), octets))
    return b"".join(parts)


def decode(b, at):
    """The reply at `at` as type, value and end; None while it is not whole."""
    line = b.find(b"\r\n", at)
    if line < 0:
        return None
    kind, text, end = b[at : at + 1], b[at + 1 : line].decode(), line + 2
    if kind in b"+-":
        return ("error" if kind == b"-" else "string", text, end)
    if kind == b":":
        return ("integer", int(text), end)
    if kind == b",":
        return ("double", text if "inf" in text or "nan" in text else float(text), end)
    if kind == b"#":
        return ("boolean", text == "t", end)
    if kind == b"_" or text == "-1":
        return ("null", None, end)
    count = int(text)
    if kind == b"$":
        if len(b) < end + count + 2:
            return None
        return ("bulk_string", b[end : end + count].decode(), end + count + 2)
    name = {b"*": "array", b"~": "set", b"%": "map"}[kind]
    values = []
    for _ in range(2 * count if name == "map" else count):
        inner = decode(b, end)
        if inner is None:
            return None
        values.append({"error": inner[1]} if inner[0] == "error" else inner[1])
        end = inner[2]
    return (name, [values[i : i + 2] for i in range(0, len(values), 2)] if name == "map" else values, end)


class Connection:
    def __init__(self, host, port):
        self.socket = socket.create_connection((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, RECEIVED | LEFT)
        self.mss = self.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)
        self.asked = []
        # Octets that were sent; when the kernel took those up to an octet from the socket, for the first time.
        self.written, self.left = 0, {}
        # What is there of the reply under way, and when its first octet came.
        self.rest, self.begun = b"", 0
        # Segments that had come out of order when the commands were sent; replies that had to be timed by reading them.
        self.disorder, self.read_late = 0, 0

    def out_of_order(self):
        return struct.unpack_from("=I", self.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256), RCV_OOOPACK)[0]

    def ask(self, batch, version):
        """Sends commands together, and reads their replies."""
        self.disorder = self.out_of_order()
        entries, octets, ends = [], b"", []
        for words in batch:
            name = words[0].upper()
            entries.append({"command": name, "arguments": words[1:], "protocol": version})
            if len(words) > 1 and name not in KEYLESS:
                entries[-1]["key"] = words[1]
            octets += encode(words)
            ends.append(len(octets))
        # A segment at a time: there is a stamp for the last octet of each send().
        clocks = []
        for at in range(0, len(octets), self.mss):
            piece = octets[at : at + self.mss]
            clocks.append(clock(REALTIME))
            taken = self.socket.send(piece)
            assert taken == len(piece), "the socket has room for all that is asked at a time"
        came = []
        while len(came) < len(batch):
            came += self.receive(entries[len(came) :])
        self.read_departures()
        for entry, end, time in zip(entries, ends, came):
            piece = (end - 1) // self.mss
            last = self.written + min((piece + 1) * self.mss, len(octets)) - 1
            entry["latency"] = (time - self.left[last]) / 1e9
            entry["clock_latency"] = (time - clocks[piece]) / 1e9
        self.left.clear()
        self.written += len(octets)
        self.asked += entries

    def receive(self, entries):
        """Waits, and reads what is there, each reply by itself: a read tells when the last of its octets came."""
        b = self.socket.recv(1 << 20, socket.MSG_PEEK)
        woken = clock(REALTIME)
        assert b, "the server closed the connection"
        in_order = self.out_of_order() == self.disorder
        times, at, known = [], 0, len(self.rest)
        b = self.rest + b
        while at < len(b):
            if at >= known:
                self.begun = self.came() if in_order else woken
                self.read_late += not in_order
            reply = decode(b, at)
            end = len(b) if reply is None else reply[2]
            self.take(end - max(known, at + in_order))
            if reply is None:
                break
            entries[len(times)]["reply"] = {"type": reply[0], "value": reply[1]}
            times.append(self.begun)
            at = known = end
        self.rest = b[at:]
        return times

    def came(self):
        """Takes an octet, and says when the kernel received it."""
        _, control, _, _ = self.socket.recvmsg(1, 256)
        return stamp_in(control)

    def take(self, count):
        while count > 0:
            count -= len(self.socket.recv(count))

    def read_departures(self):
        """Reads when what was sent left the socket; what was sent again is told again."""
        while True:
            try:
                _, control, _, _ = self.socket.recvmsg(0, 512, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            (last,) = (struct.unpack_from("=I", data, 12)[0] for _, kind, data in control if kind == IP_RECVERR)
            self.left.setdefault(last, stamp_in(control))


def stamp_in(control):
    (data,) = (data for _, kind, data in control if kind == SO_TIMESTAMPING)
    seconds, nanoseconds = struct.unpack_from("qq", data)
    return seconds * 1_000_000_000 + nanoseconds


def talk(host, port, version, most, commands):
    """One connection that asks so many commands, at most `most` before it waits for their replies."""
    connection = Connection(host, port)
    if version == 3:
        connection.ask([["HELLO", "3"]], version)
    while len(connection.asked) < commands:
        batch = following()
        if most == 1:
            for words in batch:
                connection.ask([words], version)
            continue
        wanted = min(pick.randrange(1, most + 1), commands - len(connection.asked))
        while len(batch) < wanted:
            batch += following()
        connection.ask(batch, version)
    local = connection.socket.getsockname()[1]
    connection.socket.close()
    late = connection.read_late
    return {"port": local, "version": version, "pipelined": most > 1, "read_late": late, "commands": connection.asked}


host, port, count, log = sys.argv[1:5]
pick = random.Random(int(sys.argv[5]) if len(sys.argv) > 5 else 1)
gc.disable()
# The kernel begins to keep stamps a little later than somebody wants them, and ends when nobody does.
stamps = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
stamps.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, RECEIVED)
time.sleep(0.2)
connections = [talk(host, int(port), version, most, int(count) // 4) for version in (2, 3) for most in (1, 40)]
with open(log, "w") as out:
    json.dump(connections, out)
