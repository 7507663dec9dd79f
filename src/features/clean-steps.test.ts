/** What each cleaning step takes and what it leaves, case by case. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type CleaningStep, cleaningSteps } from './clean.ts'

const cases: Partial<Record<CleaningStep, readonly (readonly [from: string, to: string])[]>> = {
  htmlTags: [
    ['<b>a</b>b', 'a b'],
    [
      '1 < 2 > 1 <you> & <me@example.com> <https://example.com>',
      '1 < 2 > 1  & <me@example.com> <https://example.com>',
    ],
    ['<!-- <b> > -->x<!doctype html><?xml?>', 'x'],
    ['a<script type="x">if (a < b) c()</script >b<STYLE>p {}</Style>c', 'a b c'],
    ['a<script>never closed', 'a never closed'],
    ['a<!-- never closed <i>b', 'a<!-- never closed b'],
    ['a<br/>b<a href="x', 'a b<a href="x'],
  ],
  htmlEntities: [
    ['&amp;lt; &nbsp;&notanentity; &#x1F600; AT&T &lt', '&lt; \u00a0¬anentity; 😀 AT&T <'],
  ],
  urls: [
    ['(http://example.com/a_(b)).', '( __url__ )).'],
    ['HTTPS://EXAMPLE.COM ftp://x.example/ www.example.com/?q=ü#x', '__url__ __url__ __url__'],
    ['ahttp://x http:// www. "http://x.example"', 'ahttp://x http:// www. " __url__ "'],
    ['seehttps nothttp://', 'seehttps nothttp://'],
  ],
  emails: [
    ['<ann.b+c@mail.example.com>', '< __email__ >'],
    ['ann@localhost @ann a@b', 'ann@localhost @ann a@b'],
    [`${'x'.repeat(70)}@example.com`, `${'x'.repeat(70)}@example.com`],
  ],
  mentions: [
    [
      '@Ann_1 and @bob.example.com, @eve@social.example!',
      '__mention__ and __mention__ , __mention__ !',
    ],
    ['ann@example.com @ @@x .@ann', 'ann@example.com @ @@x .@ann'],
    ['@a@B_ @ann@Example.com', '@a@B_ __mention__'],
    ['@bob.Thanks @名前', '__mention__ .Thanks __mention__'],
  ],
  hashtags: [
    ['#NewYork2024!', 'hashtag_newyork2024 New York 2024 !'],
    [
      '#USAToday #under_score #été',
      'hashtag_usatoday USA Today hashtag_under_score under score hashtag_été été',
    ],
    ['#1 C# a#b &#39; #', '#1 C# a#b &#39; #'],
    ['#a#b', 'hashtag_a a hashtag_b b'],
  ],
  emoji: [
    [
      '👩‍👩‍👧‍👦🇩🇪🇫🇷',
      'emoji_1f469_200d_1f469_200d_1f467_200d_1f466 emoji_1f1e9_1f1ea emoji_1f1eb_1f1f7',
    ],
    ['❤️ ❤ ☺', 'emoji_2764 emoji_2764 emoji_263a'],
    ['1️⃣ #⃣ 1 # *', 'emoji_31_20e3 emoji_23_20e3 1 # *'],
    [
      '🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}',
      'emoji_1f3f4_e0067_e0062_e0065_e006e_e0067_e007f',
    ],
    ['👩🏽‍🚀👁️‍🗨️', 'emoji_1f469_1f3fd_200d_1f680 emoji_1f441_200d_1f5e8'],
    ['© ® ™ ©️ \ud83d ℹ', '© ® ™ emoji_a9 \ud83d ℹ'],
  ],
  emoticons: [
    [':) :-)) =) (: ^_^', '__smile__ __smile__ __smile__ __smile__ __smile__'],
    [':D XD :-P ;) :( :-[', '__laugh__ __laugh__ __tongue__ __wink__ __sad__ __sad__'],
    [
      ":'( T_T :-/ :o <3 </3 >:( :*",
      '__cry__ __cry__ __skeptical__ __surprise__ __heart__ __broken_heart__ __angry__ __kiss__',
    ],
    ['fun:)', 'fun __smile__'],
    ['http://x 12:30 f(x) a:b exD :Path 3:0', 'http://x 12:30 f(x) a:b exD :Path 3:0'],
  ],
  numbers: [
    [
      '1 22,5 2024-01-31 10:30. +5% 1.000.000,50',
      '__number__ __number__ __number__ - __number__ - __number__ __number__ . + __number__ % __number__',
    ],
    ['mp3 3rd x1 _1 ٣٤', 'mp3 3rd x1 _1 __number__'],
  ],
  elongations: [
    ['Sooo cooOOl, good', 'Soo __elongated__ cool __elongated__ , good'],
    ['(yes), sooo, good!', '(yes), soo __elongated__ , good!'],
    ['1000 ___ !!! zzz', '1000 ___ !!! zz __elongated__'],
    ['哈哈哈哈', '哈哈 __elongated__'],
  ],
  negations: [
    ["Not good, never WON'T see! good", "Not not_good, never WON'T not_see! good"],
    [
      'nothing at 3.5 or example.com; yes',
      'nothing not_at not_3.not_5 not_or not_example.not_com; yes',
    ],
    ['no __url__ here __exclamation__ there', 'no __url__ not_here __exclamation__ there'],
    ['no end\n\nnew', 'no not_end\n\nnew'],
    ['knot cannot’t note', 'knot cannot’t note'],
  ],
  punctuation: [
    [
      'Hi! Hi!! a? b?? c?!? d.. e.... f… 好！',
      'Hi __exclamation__ Hi __exclamations__ a __question__ b __questions__ c __interrobang__ d.. e __ellipsis__ f __ellipsis__ 好 __exclamation__',
    ],
  ],
  lineEndings: [['\r\n\r\r\n', '\n\n\n']],
}

describe('features: cleaning steps', () => {
  for (const [name, pairs] of Object.entries(cases)) {
    it(`${name}: takes its own and leaves the rest`, () => {
      const { clean } = cleaningSteps[name as CleaningStep]
      for (const [from, to] of pairs) assert.equal(clean(from), to)
    })
  }
})
