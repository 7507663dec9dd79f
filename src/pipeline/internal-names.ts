/** Names of topics and groups that Millrace makes for itself. */
export const isInternalName = (name: string) =>
  name.startsWith('millrace.') || name.endsWith('.dead-letters') || name.endsWith('.replay')
