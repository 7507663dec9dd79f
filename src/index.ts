/** What an application imports from 'millrace'. */
export type { Batch } from './core/batch.ts'
export { fail, MillraceError } from './core/errors.ts'
export type { Message } from './core/message.ts'
export { type Random, seededRandom } from './core/random.ts'
export type { ExplainedClassification } from './models/explained-classifier.ts'
export type { Classification, Model, TextClassifier } from './models/model.ts'
export type { Keyed, Windowed } from './pipeline/keyed-stream.ts'
export {
  type ClassifierOptions,
  classifier,
  type ModelUse,
  model,
} from './pipeline/model-use.ts'
export {
  type AddOptions,
  type FromOptions,
  type PipelineOptions,
  pipeline,
  type Stream,
} from './pipeline/pipeline.ts'
export { type RollingFeature, rolling } from './pipeline/rolling-feature.ts'
export { type Summary, type SummaryOptions, summary } from './pipeline/summary.ts'
export { type Table, type TableOptions, table } from './pipeline/table.ts'
export {
  type Readable,
  type Topic,
  type TopicOptions,
  topic,
  type Writable,
} from './pipeline/topic.ts'
export { type Topics, type TopicsOptions, topicsMatching } from './pipeline/topics-matching.ts'
export type { LabelledTexts } from './training/labelled.ts'
export type { TrainingSettings } from './training/train-text.ts'
export {
  type TrainContext,
  type Trainer,
  type TrainerOptions,
  trainer,
} from './training/trainer.ts'
export type { Trained, TrainingFacts } from './training/training-facts.ts'
export type { At } from './transforms/process-step.ts'
