import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  type Cleaning,
  type CleaningStep,
  checkCleaning,
  cleaner,
  cleaningStepNames,
  cleaningSteps,
} from './clean.ts'
import { tokenise } from './tokenise.ts'

interface Stripped {
  readonly text: string
  readonly headers: string
  readonly footers: string
  readonly quotes: string
  readonly all: string
}

const file = new URL('./fixtures/cleaning.json', import.meta.url)
const { texts } = JSON.parse(readFileSync(file, 'utf8')) as { texts: Stripped[] }

/** Steps that find nothing more to do in what they gave. */
const settling: readonly CleaningStep[] = [
  'lineEndings',
  'quotes',
  'urls',
  'emails',
  'mentions',
  'hashtags',
  'emoji',
  'numbers',
  'elongations',
  'negations',
  'punctuation',
]
const pieces = fc.constantFrom(
  ...'aZ1 ._@#&<>:;)(-/\'"!?\n\r*|',
  ...[
    'é',
    '你',
    'ß',
    '\u0301',
    '😀',
    '👍🏽',
    '👩‍👩‍👧',
    '🇩🇪',
    '❤',
    '\ufe0f',
    '\ud83d',
    '#️⃣',
    '©',
    '\u200d',
    '🇩',
  ],
  ...[
    'http://',
    'www.',
    'a@b.cd',
    '@ann.example.com',
    '#ThisIsIt',
    "don't",
    'not',
    '1,000',
    'sooo',
  ],
  ...[
    '&amp;',
    '&lt',
    '<b>',
    '<!--',
    '-->',
    '<script>',
    '</script>',
    '> ',
    'writes:',
    '\n\n',
    ':-)',
  ],
)
const awkward = fc.array(pieces, { maxLength: 30 }).map((parts) => parts.join(''))

describe('features: cleaning', () => {
  for (const [name, { summary, example, clean }] of Object.entries<Cleaning>(cleaningSteps)) {
    it(`${name}: does what its example says`, () => {
      assert.equal(clean(example.from), example.to)
      assert.match(summary, /^[A-Z].{10,90}\.$/)
      assert.equal(clean(''), '')
    })
  }

  it('strips posts exactly as scikit-learn', () => {
    assert.ok(texts.length > 200)
    const all = cleaner(['headers', 'footers', 'quotes'])
    for (const stripped of texts) {
      const told = JSON.stringify(stripped.text)
      for (const step of ['headers', 'footers', 'quotes'] as const) {
        assert.equal(cleaningSteps[step].clean(stripped.text), stripped[step], `${step}: ${told}`)
      }
      assert.equal(all(stripped.text), stripped.all, told)
    }
  })

  it('does the steps in the given order, and nothing without', () => {
    const text = 'a&amp;#Tag'
    assert.equal(cleaner([])(text), text)
    assert.equal(cleaner(['htmlEntities', 'hashtags'])('&#35;tag'), 'hashtag_tag tag')
    assert.equal(cleaner(['hashtags', 'htmlEntities'])('&#35;tag'), '#tag')
  })

  it('refuses what is no step, with the nearest', () => {
    assert.throws(() => checkCleaning(['urls', 'mention']), {
      code: 'OPTIONS_INVALID',
      message: /unknown step 'mention'; did you mean 'mentions'\? known: lineEndings, /,
    })
    assert.throws(() => cleaner(['toString' as CleaningStep]), { code: 'OPTIONS_INVALID' })
    assert.throws(() => checkCleaning('urls' as unknown as string[]), { code: 'OPTIONS_INVALID' })
    assert.deepEqual(checkCleaning(['emoji', 'urls']), ['emoji', 'urls'])
  })

  it('finds nothing more to do the second time', () => {
    for (const name of settling) {
      const { clean } = cleaningSteps[name]
      fc.assert(
        fc.property(awkward, (text) => {
          const once = clean(text)
          assert.equal(clean(once), once, `${name}: ${JSON.stringify(text)}`)
        }),
        { numRuns: 400 },
      )
    }
  })

  it('leaves words alone that no step is about', () => {
    const text = 'Plain words, as they stand; (in brackets) 5th-best, naïve 你好 it’s fine.'
    for (const name of cleaningStepNames) {
      if (name === 'headers') continue
      assert.equal(cleaningSteps[name].clean(text), text, name)
    }
  })

  it('makes words that the tokeniser keeps', () => {
    const made = cleaner(['urls', 'mentions', 'hashtags', 'emoji', 'emoticons', 'punctuation'])(
      '@ann http://a.example #Kafka 👩‍👩‍👧 :-) ?!',
    )
    assert.deepEqual(tokenise(made), [
      ...['__mention__', '__url__', 'hashtag_kafka', 'kafka', 'emoji_1f469_200d_1f469_200d_1f467'],
      ...['__smile__', '__interrobang__'],
    ])
  })
})
