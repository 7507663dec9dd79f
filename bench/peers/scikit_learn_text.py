"""scikit-learn's side of the text benchmark: told by lines of JSON what to do, it answers each with
how long it took. bench/text-worker.ts is the other side; the work is the same, all at defaults.

usage: scikit_learn_text.py texts.json
"""

import json
import sys
import time
import warnings

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.naive_bayes import ComplementNB, MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

ESTIMATORS = {
    "multinomialNB": MultinomialNB,
    "complementNB": ComplementNB,
    "linearSVC": lambda: LinearSVC(random_state=0),
    "sgdClassifier": lambda: SGDClassifier(random_state=0),
    "logisticRegression": LogisticRegression,
}

VECTORIZERS = {
    "word:1-2": lambda: CountVectorizer(ngram_range=(1, 2)),
    "char_wb:2-5": lambda: CountVectorizer(analyzer="char_wb", ngram_range=(2, 5)),
    "hashing word:1-1": HashingVectorizer,
}


class Side:
    def __init__(self, path):
        with open(path, encoding="utf8") as file:
            texts = json.load(file)
        self.train, self.test = texts["train"], texts["test"]
        self.pipeline = None

    def fit(self, task):
        pipeline = make_pipeline(TfidfVectorizer(), ESTIMATORS[task["estimator"]]())

        def work():
            self.pipeline = pipeline.fit(self.train["texts"], self.train["labels"])
            return lambda: len(pipeline[0].vocabulary_)

        return work

    def predict(self, task):
        def work():
            answers = self.pipeline.predict(self.test["texts"])
            return lambda: float(np.mean(answers == np.array(self.test["labels"])))

        return work

    def single(self, task):
        texts, count = self.test["texts"], task["count"]
        asked = [texts[int(index * (len(texts) / count))] for index in range(count)]
        if task.get("characters") is not None:
            asked = [text[-task["characters"] :] for text in asked]

        def work():
            answers = [self.pipeline.predict([text])[0] for text in asked]
            return lambda: len(set(answers))

        return work

    def vectorize(self, task):
        texts = self.train["texts"][: task["count"]]

        def work():
            matrix = VECTORIZERS[task["vectorizer"]]().fit_transform(texts)
            return lambda: int(matrix.nnz)

        return work


def main(path):
    # Its default solver stops before it converged on these texts; both sides are at their defaults.
    warnings.simplefilter("ignore")
    side = Side(path)
    for line in sys.stdin:
        task = json.loads(line)
        work = getattr(side, task["do"])(task)
        cpu = time.process_time()
        start = time.perf_counter()
        tell = work()
        seconds = time.perf_counter() - start
        cpu_seconds = time.process_time() - cpu
        answer = {"seconds": seconds, "cpuSeconds": cpu_seconds, "found": tell()}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
