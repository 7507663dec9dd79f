/** Names of topics and groups that Millrace, or Kafka, makes for itself. */
export const isInternalName = (name: string) =>
  /^(?:millrace\.|__)|\.(?:dead-letters|replay|changelog|repartition)$/.test(name)

/** A topic through which a pipeline's own messages go. */
export const isRepartition = (name: string) => name.endsWith('.repartition')
