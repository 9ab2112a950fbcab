/**
 * Waits for every result before failing with the first failure in order: behind a thrown error
 * nothing is still running that uses a data key.
 */
export async function allOrFirstFailure<T>(results: readonly (T | Promise<T>)[]): Promise<T[]> {
  const settled = await Promise.allSettled(results);
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}
