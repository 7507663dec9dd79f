/** Codes of errors around keyed state, what is reckoned with it, and tests of applications. */
import type { ErrorDeclaration } from './error-codes.ts'

export const stateCodes = {
  STATE_LOST: {
    order: 'fenced',
    when: 'Keyed state is asked that was closed, or that may have missed a change: a commit of its owner failed.',
    fix: 'Nothing to do: the member drops what it held, and whoever owns the partition opens the state anew.',
  },
  CHANGELOG_DAMAGED: {
    order: 'stop',
    when: 'The changelog of keyed state lacks messages that were in it: the Kafka cluster lost them.',
    fix: 'Restore the topic. To go on with what is left of it, delete the directory that the message names.',
  },
  AGGREGATE_INPUT_INVALID: {
    order: 'refused',
    when: 'An aggregate is given a value that it cannot reckon with: NaN, a text to a sum, a Date.',
    fix: 'Correct the value function that the message names; null leaves a message out.',
  },
  STATE_UNREADABLE: {
    order: 'stop',
    when: 'Stored state is damaged, or was written by something else than the step that reads it.',
    fix: 'Restore it, or reset the group so that it is built again from the topic.',
  },
  STATE_DIFFERS: {
    order: 'misconfigured',
    when: 'The state of a step was written by another window or other aggregates than the step has now, or by a newer version of the application.',
    fix: 'Do what the message says: it tells what differs. A step whose state is your own can be given a version and migrate.',
  },
  STATE_MIGRATION_FAILED: {
    order: 'stop',
    when: 'The migrate of a step threw, or gave what cannot be kept, for state of an older version. Nothing was changed.',
    fix: 'Correct migrate and start again; the message names the entry.',
  },
  TEST_INVALID: {
    order: 'misconfigured',
    when: 'A test with pipelineTest asks for what the application does not have, or gives it what does not fit.',
    fix: 'Correct the test: the message names what was asked for and what there is.',
  },
  TEST_STUCK: {
    order: 'stop',
    when: 'An application under pipelineTest does not work off what it was given.',
    fix: 'Look at what the message says it waits for: a model or a step that never answers, a loop of topics.',
  },
} as const satisfies Record<string, ErrorDeclaration>
