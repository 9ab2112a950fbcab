/** An activity as any other: its input and result are encrypted around it. */
export async function charge(card: string, cents: number): Promise<string> {
  return `receipt for ${cents} cents on card ${card}`;
}
