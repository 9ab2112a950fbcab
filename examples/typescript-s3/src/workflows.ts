/** Takes a large payload and returns another one. */
export async function shout(text: string): Promise<string> {
  return text.toUpperCase();
}
