/** Makes room in a map that is full, by what was put in first. */
export function deleteOldest(map: Map<string, unknown>): void {
  for (const oldest of map.keys()) {
    map.delete(oldest);
    break;
  }
}
