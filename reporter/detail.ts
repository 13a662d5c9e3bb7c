/** What OpenShift's typed report takes, characters; a condition has no bound of its own. */
const longest = 1_024;

/** A text of any length and content as a detail: valid Unicode, cut between characters, with a mark where it was cut. */
export const detailOf = (text: string): string => {
  // No more than could be kept is looked at of a text of megabytes; a character is one or two units.
  const start = text.slice(0, 2 * longest + 2).toWellFormed();
  const characters = [...start];
  return characters.length <= longest ? start : `${characters.slice(0, longest - 1).join('')}…`;
};
