/** Cleaning steps on texts made to hurt them: something quadratic would take minutes here. */
import { describe, it } from 'node:test'
import { cleaningStepNames, cleaningSteps } from './clean.ts'

const sizeUnits = 1_000_000
const hostile = [
  ...[
    '@',
    '&',
    'a',
    '<',
    ':',
    '#',
    '!',
    '.',
    '1.',
    "a'",
    'a.',
    'a@',
    '@a',
    '\n ',
    '-\n',
    '>\n',
    '_',
  ],
  ...[
    '<!--',
    '<script>',
    '<a ',
    '&#',
    'http://',
    'www.',
    'xD',
    ':)',
    'not ',
    '😀',
    '\u200d',
    '\ud800',
  ],
  ...['你', '你1.', 'a\u0301', '🇩'],
]

describe('features: cleaning of hostile texts', { timeout: 300_000 }, () => {
  for (const name of cleaningStepNames) {
    const { clean } = cleaningSteps[name]
    it(`${name} stays linear`, () => {
      for (const unit of hostile) clean(unit.repeat(sizeUnits / unit.length))
      for (const start of ['http://', '@', '#', '<a ', 'a@'])
        clean(`${start}${'a'.repeat(sizeUnits)} é`)
    })

    it(`${name} stays within its stack`, () => {
      // V8 goes deepest in a run of one character where the text has one beyond Latin 1.
      for (const unit of ['.', ')', '你', '！', '1', ' ']) clean(`你:${unit.repeat(8 * sizeUnits)}`)
    })
  }
})
