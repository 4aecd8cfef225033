/** What commands that read captures have in common, without what it takes to show a frame. */

/** Exit status: the capture ends in mid-record; all whole frames came first. */
export const CUT_SHORT = 3;
/** LINKTYPE_ that a capture filter is checked for when the file has not told its own yet. */
export const ETHERNET = 1;
