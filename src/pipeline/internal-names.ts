/** Names of topics and groups that Millrace, or Kafka, makes for itself. */
export const isInternalName = (name: string) =>
  /^(?:millrace\.|__)|\.(?:dead-letters|replay|changelog|repartition)$/.test(name)
