"""The same work with scikit-learn, as one would write it without a log: lines of JSON from a file,
batches of 2,000 through one predict_proba, lines of JSON to a file, synced a batch. One core.

usage: scikit_learn_batches.py train.ndjson input.ndjson output.ndjson
Prints messages a second on stdout. Needs scikit-learn; orjson is used where it is there.
"""

import os
import sys
import time

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.naive_bayes import MultinomialNB

try:
    from orjson import dumps, loads
except ImportError:
    import json

    loads = json.loads

    def dumps(value):
        return json.dumps(value).encode()


BATCH = 2000


def main(train, source, target):
    rows = [loads(line) for line in open(train, "rb")]
    vectorizer = TfidfVectorizer(max_features=12_000)
    matrix = vectorizer.fit_transform([row["text"] for row in rows])
    model = MultinomialNB().fit(matrix, [row["label"] for row in rows])
    started = time.perf_counter()
    done = 0
    with open(source, "rb") as lines, open(target, "wb") as out:
        batch = []
        for line in lines:
            batch.append(loads(line))
            if len(batch) == BATCH:
                done += score(vectorizer, model, batch, out)
                batch = []
        done += score(vectorizer, model, batch, out)
    print(done / (time.perf_counter() - started))


def score(vectorizer, model, batch, out):
    if not batch:
        return 0
    probabilities = model.predict_proba(vectorizer.transform([row["text"] for row in batch]))
    best = probabilities.argmax(axis=1)
    for row, label, scores in zip(batch, best, probabilities):
        row["sentiment"] = {"label": str(model.classes_[label]), "score": float(scores[label])}
        out.write(dumps(row) + b"\n")
    out.flush()
    os.fdatasync(out.fileno())
    return len(batch)


if __name__ == "__main__":
    main(*sys.argv[1:])
