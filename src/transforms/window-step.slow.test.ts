/** Window steps against the reference, on many streams. */
import { windowStepLaws } from './window-step-laws-testing.ts'

windowStepLaws(600)
