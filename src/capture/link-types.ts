/** What is special about some link types of the pcap registry (LINKTYPE_ values). */

/** Octets that stand before the link layer and were not on the wire; Wireshark counts them neither as captured nor as sent. */
const PSEUDO_HEADERS: Readonly<Record<number, number>> = {
  123: 4, // SunATM: direction, path and channel
  139: 4, // MTP2: direction, annex A, link number
  144: 16, // IrDA, as Linux cooked
  177: 16, // LAPD, as Linux cooked
  201: 4, // Bluetooth HCI: direction
  204: 1, // PPP: direction
};

/** See {@link CaptureInterface.pseudoHeader}. */
export function pseudoHeaderLength(linkType: number): number {
  return PSEUDO_HEADERS[linkType] ?? 0;
}
