/** Names that a mistyped one may have meant. */

/** `; did you mean tcp.flags.syn?` from the nearest of the known names, or nothing. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const near: { name: string; distance: number }[] = [];
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) > 4) continue;
    const distance = editDistance(name, candidate);
    if (distance <= Math.max(2, Math.floor(name.length / 5))) near.push({ name: candidate, distance });
  }
  near.sort((a, b) => a.distance - b.distance || a.name.localeCompare(b.name));
  const names = near.slice(0, 3).map((n) => n.name);
  return names.length ? `; did you mean ${names.join(' or ')}?` : '';
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
