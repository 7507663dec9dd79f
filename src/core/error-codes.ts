/** Every code that an error of Millrace carries: the order it gives, when it comes, what to do. */
import { formatCodes } from './error-codes-formats.ts'
import { lookupCodes } from './error-codes-lookups.ts'
import { securityCodes } from './error-codes-security.ts'
import { stateCodes } from './error-codes-state.ts'

export interface ErrorDeclaration {
  readonly order: 'misconfigured' | 'try-later' | 'refused' | 'fenced' | 'stop'
  readonly when: string
  readonly fix: string
}

const declare = <const Codes extends Record<string, ErrorDeclaration>>(codes: Codes) => codes

export const errorCodes = declare({
  ...formatCodes,
  ...securityCodes,
  ...lookupCodes,
  ...stateCodes,
  OPTIONS_INVALID: {
    order: 'misconfigured',
    when: "A part's or a command's options do not fit its declaration.",
    fix: 'Correct the option that the message names; the reference page of the part lists them all.',
  },
  CONFIG_INVALID: {
    order: 'misconfigured',
    when: 'What millrace.config.ts or the variables of an environment say cannot be used.',
    fix: 'Correct what the message names; it says which file, environment and option.',
  },
  SECRET_MISSING: {
    order: 'misconfigured',
    when: 'A secret that a connection refers to is nowhere to be found.',
    fix: 'Set the variable or mount the file that the message names.',
  },
  TOKEN_REFUSED: {
    order: 'misconfigured',
    when: 'Who gives tokens for a connection did not accept what was shown, or gave none.',
    fix: 'Check the client id, its secret and what it is allowed to do; the message has the answer.',
  },
  TOKEN_UNREACHABLE: {
    order: 'try-later',
    when: 'Who gives tokens for a connection did not answer.',
    fix: 'Check the address and the network; it is tried again.',
  },
  PIPELINE_INVALID: {
    order: 'misconfigured',
    when: 'A pipeline cannot be planned: nothing to read, two steps of one name, partitions that differ.',
    fix: 'Correct the chain that the message names.',
  },
  CHECKPOINT_UNREADABLE: {
    order: 'misconfigured',
    when: "A group's checkpoint was written by something else than this version of a pipeline.",
    fix: 'Reset the group (`millrace groups reset NAME --to start`), or run the version that wrote it.',
  },
  STEP_ASYNCHRONOUS: {
    order: 'misconfigured',
    when: 'A function of map, filter or flatMap gave a promise.',
    fix: 'Make it synchronous; work that waits belongs into a model (predict) or a sink.',
  },
  TOO_MANY_DEAD_LETTERS: {
    order: 'stop',
    when: 'More than maxDeadLetterShare of the last 1,000 messages failed: most likely a bad deploy.',
    fix: 'Read the reason in the message, correct the step and start again: nothing was skipped.',
  },
  TRIES_EXHAUSTED: {
    order: 'stop',
    when: 'A model, a sink or the log asked to try later, again and again, until the bound was reached.',
    fix: 'Correct what the last try reports, then start again: nothing was skipped.',
  },
  APP_UNUSABLE: {
    order: 'misconfigured',
    when: 'The file given to a command cannot be imported or exports no pipeline.',
    fix: 'Correct what the message names; `export const name = pipeline(...)...to(...)` is what is looked for.',
  },
  PIPELINE_SUPERSEDED: {
    order: 'stop',
    when: 'A member with a newer plan joined the group: this process finished its work and left.',
    fix: 'Nothing to do in a rolling upgrade; else start both processes from the same application.',
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
  MESSAGE_INVALID: {
    order: 'refused',
    when: 'A message cannot be written to a log: its time is not one that a Date can hold.',
    fix: 'Correct the time that the source or the topic gives the message.',
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
    when: 'A topic exists with other settings than its declaration asks for, and the pipeline would be wrong.',
    fix: 'Change the declaration or the topic: the message has both values and a command.',
  },
  TOPICS_MISSING: {
    order: 'misconfigured',
    when: 'Topics that an application declares do not exist on the Kafka cluster.',
    fix: 'Let the run make them (`--create-topics`), or make them with the commands in the message.',
  },
  NAME_INVALID: {
    order: 'misconfigured',
    when: 'A topic, group, pipeline, step, model or alias has a name that is not allowed.',
    fix: "Use letters, digits, '.', '_' and '-', at most 249 of them; the message says more.",
  },
  DEAD_LETTER_UNKNOWN: {
    order: 'misconfigured',
    when: 'A dead letter is named that is not there, or no more: it was replayed or dropped.',
    fix: 'Check the id (`millrace dead-letters list PIPELINE --json`).',
  },
  DEAD_LETTER_CUT: {
    order: 'misconfigured',
    when: 'A dead letter is to be replayed that was too big to keep: only its beginning is there.',
    fix: 'Send the original again from where it came, then drop the dead letter.',
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
  SOURCE_AWAY: {
    order: 'try-later',
    when: 'A source lost what it reads from: the network or the service is away.',
    fix: 'Nothing to do if it comes back; else check the network and the address in the message.',
  },
  SOURCE_UNREACHABLE: {
    order: 'stop',
    when: 'A source gave up to reach what it reads from: no network, a wrong address, a service that is down.',
    fix: 'Check the network and the address in the message, then start again: nothing was skipped.',
  },
  GENERATOR_FAILED: {
    order: 'stop',
    when: 'A function handed to the source `generate` throws, or gives what cannot be a message.',
    fix: 'Correct the function: the message names it and the index it was called with.',
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
  SINK_REFUSED: {
    order: 'refused',
    when: 'A sink can never take a message: a value does not fit its column, or is not JSON.',
    fix: "Correct the value in a step before the sink, or declare the column's type.",
  },
  WAREHOUSE_MISSING: {
    order: 'misconfigured',
    when: 'A question is asked of a warehouse that does not exist yet.',
    fix: 'Run a pipeline with a sink that keeps rows there first, or correct the path.',
  },
  SQL_INVALID: {
    order: 'misconfigured',
    when: 'An SQL statement has a mistake, changes something, takes too long, or is not one statement.',
    fix: 'Correct the statement as the message says; only questions are answered.',
  },
  MODEL_DAMAGED: {
    order: 'misconfigured',
    when: 'A model artefact is cut short, altered, of a newer format, or not one at all.',
    fix: 'Train it again, or restore the file.',
  },
  MODEL_DIFFERS: {
    order: 'misconfigured',
    when: 'A model has other labels than the pipeline that uses it counts on.',
    fix: 'Correct the labels in the pipeline, or train the model on rows with these labels.',
  },
  INPUT_INVALID: {
    order: 'refused',
    when: 'A model is given something that it cannot score: a text classifier, something not a text.',
    fix: "Correct the step's `input` function, or filter such messages out before.",
  },
  STEP_UNKNOWN: {
    order: 'misconfigured',
    when: 'State or history is asked for of a pipeline or a step that the application does not have, or state of a step that keeps none.',
    fix: 'Correct the name (`millrace plan app.ts` shows the steps, `millrace state list app.ts` those with state).',
  },
  MODEL_UNKNOWN: {
    order: 'misconfigured',
    when: 'A model, a version or an alias is named that the registry or the store does not have.',
    fix: 'Train it first, or correct the name.',
  },
  MODEL_IN_USE: {
    order: 'misconfigured',
    when: 'A model version is to be deleted that an alias points to.',
    fix: 'Move or remove the alias first, or delete another version.',
  },
  REGISTRY_CONFLICT: {
    order: 'misconfigured',
    when: 'A change of the registry was decided on a revision of a model that is no longer current.',
    fix: 'Look at the model again (the message says who was first) and decide anew.',
  },
  STORE_UNUSABLE: {
    order: 'misconfigured',
    when: 'The store of model artefacts refuses: no such bucket, no rights, no or wrong credentials.',
    fix: 'Correct MILLRACE_MODEL_STORE, or the AWS region, credentials and rights.',
  },
  STORE_UNREACHABLE: {
    order: 'try-later',
    when: 'The store of model artefacts does not answer, breaks off or asks to slow down.',
    fix: 'Nothing to do if it comes back; else check the network and AWS_ENDPOINT_URL_S3.',
  },
  DEPENDENCY_MISSING: {
    order: 'misconfigured',
    when: 'Something is used that needs a package which is not installed with Millrace.',
    fix: 'Install it with the command that the message gives.',
  },
  TRAINING_INVALID: {
    order: 'misconfigured',
    when: 'Rows cannot be learnt from: no rows, one class, no term, a value that is not finite.',
    fix: 'Correct what the message names in the rows or in the settings.',
  },
  TRAINING_DATA_INVALID: {
    order: 'misconfigured',
    when: 'Labelled data cannot be used: no such file or column, rows without a label, a damaged file.',
    fix: 'Correct the rows, the path or the option that the message names.',
  },
  EVALUATION_INVALID: {
    order: 'misconfigured',
    when: 'Answers cannot be evaluated: not as many as truths, probabilities that are none.',
    fix: 'Correct what the message names in the answers, or in the model that gave them.',
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
  LOG_UNREACHABLE: {
    order: 'try-later',
    when: 'No broker of the Kafka cluster answers, or the one that is needed does not come back.',
    fix: 'Look whether the brokers run and can be reached from here; `millrace doctor` says what is wrong.',
  },
  BROKERS_TOO_FEW: {
    order: 'try-later',
    when: 'A topic is to be made with more copies than there are brokers, and none came in two minutes.',
    fix: 'Start the brokers that are away, or set a smaller replicationFactor.',
  },
  LOG_FORBIDDEN: {
    order: 'misconfigured',
    when: 'The Kafka cluster does not let this user in, or not do what a pipeline has to do.',
    fix: 'Correct the user, its password or mechanism, or grant what the message names.',
  },
  LOG_UNTRUSTED: {
    order: 'misconfigured',
    when: "A broker's certificate is not taken: another authority, another name, or it has expired.",
    fix: "Give the certificate of the brokers' authority (KAFKA_SSL_CA), use the name in the certificate, or renew it.",
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
  DIRECTORY_MISSING: {
    order: 'misconfigured',
    when: 'A command looks into a MILLRACE_DIR that nothing was written to yet.',
    fix: 'Run an application first (`millrace run app.ts`), or name another directory with MILLRACE_DIR.',
  },
  PORT_IN_USE: {
    order: 'misconfigured',
    when: 'Another program listens on the port that the page is to be served on.',
    fix: 'Choose another with --port, or run without the page (--no-page).',
  },
  FOLDER_UNUSABLE: {
    order: 'misconfigured',
    when: 'The folder for a new project holds something already, or cannot be made.',
    fix: 'Choose another name, or empty the folder.',
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
