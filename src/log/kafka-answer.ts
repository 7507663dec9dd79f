/** Answers that hold an error for a part of what was asked. */

/** The answer, also where parts of it are errors: the caller looks at each part's code. */
export async function withErrors<Answer>(asking: Promise<Answer>): Promise<Answer> {
  try {
    return await asking
  } catch (error) {
    const { response } = error as { response?: Answer }
    if (response === undefined) throw error
    return response
  }
}
