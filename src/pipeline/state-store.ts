/** Where the state of a pipeline's steps is kept. */
import type { Step } from './definition.ts'

/** True for steps that keep something of the messages that went through them. */
export const keepsState = ({ kind }: { readonly kind: Step['kind'] }): boolean =>
  kind === 'join' || kind === 'aggregate' || kind === 'keyed'

/** The name under which a log keeps the state of a step. */
export const stateStore = (pipeline: string, step: string): string => `${pipeline}.${step}`
