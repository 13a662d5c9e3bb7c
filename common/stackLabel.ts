/** The label, with the stack's name, of what a stack made in a cluster that is not its own. */
export const stackLabel = 'understudy.dev/stack';
