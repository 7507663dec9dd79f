/** Every code that an error of Millrace carries: the order it gives, when it comes, what to do. */
export interface ErrorDeclaration {
  readonly order: 'misconfigured' | 'try-later' | 'refused' | 'fenced' | 'stop'
  readonly when: string
  readonly fix: string
}

const declare = <const Codes extends Record<string, ErrorDeclaration>>(codes: Codes) => codes

export const errorCodes = declare({
  OPTIONS_INVALID: {
    order: 'misconfigured',
    when: "A part's or a command's options do not fit its declaration.",
    fix: 'Correct the option that the message names; the reference page of the part lists them all.',
  },
  BATCH_DAMAGED: {
    order: 'stop',
    when: 'A record batch does not decode: its checksum, length or magic byte is wrong.',
    fix: 'The file was damaged after it was written. Restore it, or delete the topic and fill it again.',
  },
  COMPRESSION_UNKNOWN: {
    order: 'stop',
    when: 'A record batch names a compression that is not none, gzip, snappy, lz4 or zstd.',
    fix: 'Read it with the program that wrote it, or write it again with one of the four.',
  },
  MESSAGE_TOO_LARGE: {
    order: 'refused',
    when: "A message is larger than the topic's maxMessageBytes.",
    fix: 'Raise maxMessageBytes in the declaration of the topic, or send less.',
  },
  TOPIC_UNKNOWN: {
    order: 'misconfigured',
    when: 'A topic is named that does not exist.',
    fix: 'Check the name (`millrace topics list`), or create it.',
  },
  TOPIC_EXISTS: {
    order: 'misconfigured',
    when: 'A topic is created that exists already.',
    fix: 'Use it, choose another name, or delete it first.',
  },
  TOPIC_DIFFERS: {
    order: 'misconfigured',
    when: 'A topic exists with other settings than its declaration asks for.',
    fix: 'Change the declaration, or delete the topic and create it again.',
  },
  NAME_INVALID: {
    order: 'misconfigured',
    when: 'A topic, group, pipeline or step has a name that Kafka would not take.',
    fix: "Use letters, digits, '.', '_' and '-', at most 249 of them.",
  },
  MEMBER_FENCED: {
    order: 'fenced',
    when: 'A member of a group commits for a partition that another member owns by now.',
    fix: 'Nothing to do: the member drops what it held and joins the group again.',
  },
  GROUP_ACTIVE: {
    order: 'misconfigured',
    when: 'A group that still has members is reset or deleted.',
    fix: 'Stop the processes that run the pipeline, then try again.',
  },
  GROUP_UNKNOWN: {
    order: 'misconfigured',
    when: 'A group is named that does not exist.',
    fix: 'Check the name (`millrace groups list`).',
  },
  SOURCE_UNREADABLE: {
    order: 'misconfigured',
    when: 'What a source is to read does not exist, may not be read, or is not of the named format.',
    fix: 'Correct the path or the format that the message names.',
  },
  SINK_UNUSABLE: {
    order: 'misconfigured',
    when: 'What a sink is to write to may not be written, or holds something else.',
    fix: 'Correct the destination that the message names.',
  },
  SINK_BUSY: {
    order: 'try-later',
    when: 'Another process holds the destination of a sink: a DuckDB file belongs to one process.',
    fix: 'Nothing to do: it is tried again until that process ends.',
  },
  MODEL_DAMAGED: {
    order: 'misconfigured',
    when: 'A model artefact is cut short, altered, of a newer format, or not one at all.',
    fix: 'Train it again, or restore the file.',
  },
  MODEL_UNKNOWN: {
    order: 'misconfigured',
    when: 'A pipeline names a model that was never trained here.',
    fix: 'Train it first, or correct the name.',
  },
  TRAINING_INVALID: {
    order: 'misconfigured',
    when: 'Rows cannot be learnt from: no rows, one class, no term, a value that is not finite.',
    fix: 'Correct what the message names in the rows or in the settings.',
  },
  MESSAGES_EXPIRED: {
    order: 'misconfigured',
    when: 'A group fell behind retention: messages it had not read are gone.',
    fix: "Set onGap: 'continue' to count them as expired and go on, or reset the group.",
  },
  LOG_BUSY: {
    order: 'try-later',
    when: 'Another process holds the write lock of the log for longer than a commit may wait.',
    fix: 'Nothing to do: it is tried again.',
  },
  DISK_FULL: {
    order: 'try-later',
    when: 'The disk that holds MILLRACE_DIR, or the file of a sink, is full.',
    fix: 'Make room; the work goes on where it stopped.',
  },
  DIRECTORY_UNUSABLE: {
    order: 'misconfigured',
    when: 'MILLRACE_DIR is read-only, is not a directory, or belongs to another program.',
    fix: 'Choose another directory with MILLRACE_DIR, or correct its rights.',
  },
  DIRECTORY_FORMAT: {
    order: 'misconfigured',
    when: 'MILLRACE_DIR was written by another version of the format.',
    fix: 'Use the version of Millrace that wrote it, or start over in another directory.',
  },
  METADATA_TOO_LARGE: {
    order: 'stop',
    when: 'The metadata of a checkpoint exceeds 3 KB (on Kafka it is the metadata of an offset).',
    fix: 'Split the pipeline: it has too many steps for one checkpoint.',
  },
})
