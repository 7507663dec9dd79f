import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readMails, streamedMails, timeOf, trainingMails } from './mails.ts'

const yearOf = (time: number) => new Date(time).getUTCFullYear()

describe('example spam-filter: the mails', () => {
  const mails = readMails()

  it('are all there, each with an id of its own', () => {
    assert.equal(mails.length, 6046)
    assert.equal(new Set(mails.map((mail) => mail.id)).size, 6046)
    const groups = Map.groupBy(mails, (mail) => mail.group)
    assert.deepEqual([...groups.keys()].sort(), [
      'easy-ham-1',
      'easy-ham-2',
      'hard-ham-1',
      'spam-1',
      'spam-2',
    ])
    for (const { group, label } of mails) {
      assert.equal(label, group.startsWith('spam') ? 'spam' : 'ham')
    }
    assert.equal(mails.filter((mail) => mail.label === 'spam').length, 1896)
  })

  it('split into 2,015 to learn from, mostly spam, and 4,031 to stream, mostly ham', () => {
    assert.equal(trainingMails().length, 2015)
    assert.equal(streamedMails().length, 4031)
    assert.deepEqual([...trainingMails(), ...streamedMails()], mails)
    const spamShare = (part: readonly { label: string }[]) =>
      part.filter((mail) => mail.label === 'spam').length / part.length
    assert.equal(spamShare(trainingMails()).toFixed(2), '0.61')
    assert.equal(spamShare(streamedMails()).toFixed(2), '0.17')
  })

  it('come in the order of their times, all plausible, whatever their headers say', () => {
    for (const [index, mail] of mails.entries()) {
      assert.ok(yearOf(mail.time) >= 1999 && yearOf(mail.time) <= 2004, mail.id)
      assert.ok(index === 0 || mails[index - 1]!.time <= mail.time, mail.id)
    }
    assert.equal(mails.filter((mail) => yearOf(timeOf(mail.date)) === 102).length, 62)
    assert.equal(mails.filter((mail) => Number.isNaN(timeOf(mail.date))).length, 25)
  })

  it('with a date that cannot be have the time of the mail before them in the list', () => {
    const mailOf = (id: string) => mails.find((mail) => mail.id === id)!
    assert.equal(mailOf('spam-1/00023').date, 'Thu, 22 Aug 0102 12:07:35 +0800')
    assert.equal(mailOf('spam-1/00023').time, mailOf('spam-1/00022').time)
    assert.ok(mails.indexOf(mailOf('spam-1/00022')) < mails.indexOf(mailOf('spam-1/00023')))
  })

  it('hold the subject and the body, and no header', () => {
    const mail = mails.find(({ id }) => id === 'spam-1/00001')!
    assert.equal(mail.subject, 'Life Insurance - Why Pay More?')
    assert.ok(mail.text.startsWith('Life Insurance - Why Pay More?\n<!DOCTYPE HTML'))
    assert.ok(!mail.text.includes('webnote.net'), 'that is in its headers')
  })
})

describe('example spam-filter: the time in a Date header', () => {
  it('counts as UTC without a zone, wherever this runs', () => {
    for (const date of ['Fri, 23 Aug 2002 19:27:52', 'Fri, 23 Aug 2002 19:27:52 (GMT)']) {
      assert.equal(timeOf(date), Date.UTC(2002, 7, 23, 19, 27, 52))
    }
    assert.equal(timeOf('Fri, 23 Aug 2002 19:27:52 -0700 (PDT)'), Date.UTC(2002, 7, 24, 2, 27, 52))
    assert.equal(timeOf('Fri, 23 Aug 2002 19:27:52 EDT'), Date.UTC(2002, 7, 23, 23, 27, 52))
    assert.ok(Number.isNaN(timeOf('Sat, 21 Sep 02 05:01:06 Greenwich Standard Time')))
    assert.ok(Number.isNaN(timeOf('')))
  })
})
