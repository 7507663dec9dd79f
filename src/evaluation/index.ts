/** Pure arithmetic on answers. */
export {
  type ClassificationReport,
  ConfusionMatrix,
  classificationReport,
  type LabelReport,
} from './classification.ts'
