/** Runs work on the same subject one after another, in the order of the calls. */
export const serialized = (): (<T>(subject: string, work: () => Promise<T>) => Promise<T>) => {
  const last = new Map<string, Promise<unknown>>();
  return (subject, work) => {
    const result = (last.get(subject) ?? Promise.resolve()).then(work);
    last.set(
      subject,
      result.catch(() => {}),
    );
    return result;
  };
};
