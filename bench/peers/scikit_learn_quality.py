"""scikit-learn's answers beside Millrace's in docs/results.md: learns each case and scores it once.

usage: scikit_learn_quality.py cases.json
Prints one line of JSON a case: {"accuracy": ..., "macroF1": ...}, the means over its splits.
A case: {"splits": [[train.ndjson, test.ndjson]], "clean": [...], "vectorizer": {...} (None: counts),
"estimator": "LinearSVC", "options": {...}}.
"""

import json
import sys
import warnings

from sklearn.datasets._twenty_newsgroups import (
    strip_newsgroup_footer,
    strip_newsgroup_header,
    strip_newsgroup_quoting,
)
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.metrics import accuracy_score, f1_score
from sklearn.naive_bayes import ComplementNB, MultinomialNB
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import LinearSVC

ESTIMATORS = {
    "MultinomialNB": MultinomialNB,
    "ComplementNB": ComplementNB,
    "LinearSVC": LinearSVC,
    "LogisticRegression": LogisticRegression,
    "RidgeClassifier": RidgeClassifier,
    "SGDClassifier": SGDClassifier,
}

CLEAN = {
    "headers": strip_newsgroup_header,
    "footers": strip_newsgroup_footer,
    "quotes": strip_newsgroup_quoting,
}


def vectorizer_of(options):
    if options is None:
        return CountVectorizer()
    if isinstance(options, list):
        return make_union(*[vectorizer_of(one) for one in options])
    named = {name: tuple(v) if isinstance(v, list) else v for name, v in options.items()}
    return TfidfVectorizer(**named)


def read(path, steps):
    with open(path, encoding="utf8") as lines:
        rows = [json.loads(line) for line in lines]
    texts = [row["text"] for row in rows]
    for step in steps:
        texts = [CLEAN[step](text) for text in texts]
    return texts, [row["label"] for row in rows]


def score(case):
    accuracies, f1s = [], []
    for train, test in case["splits"]:
        texts, labels = read(train, case["clean"])
        asked, truths = read(test, case["clean"])
        estimator = ESTIMATORS[case["estimator"]](**case["options"])
        model = make_pipeline(vectorizer_of(case["vectorizer"]), estimator)
        answers = model.fit(texts, labels).predict(asked)
        accuracies.append(accuracy_score(truths, answers))
        f1s.append(f1_score(truths, answers, average="macro"))
    return {
        "accuracy": sum(accuracies) / len(accuracies),
        "macroF1": sum(f1s) / len(f1s),
    }


def main(path):
    warnings.simplefilter("ignore")
    with open(path, encoding="utf8") as file:
        cases = json.load(file)
    for case in cases:
        print(json.dumps(score(case)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
