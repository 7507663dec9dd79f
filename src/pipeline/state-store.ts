/** Where the state of a pipeline's steps is kept. */
import type { KeepingStep, Step } from './definition.ts'

/** True for steps that keep something of the messages that went through them. */
export const keepsState = ({ kind }: { readonly kind: Step['kind'] }): boolean =>
  kind === 'join' || isTimedKind(kind)

/** True for steps that wait for event time. */
export const isTimedKind = (kind: Step['kind']): kind is KeepingStep['kind'] =>
  kind === 'aggregate' || kind === 'keyed' || kind === 'pair'

/** The name under which a log keeps the state of a step. */
export const stateStore = (pipeline: string, step: string): string => `${pipeline}.${step}`
