"""The benchmark's model by scikit-learn, for the Python peers of bench/kafka.ts."""

from orjson import loads
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline


class Sentiment:
    def __init__(self, rows_file, model_file):
        rows = [loads(line) for line in open(rows_file, "rb")]
        # Which of the terms that are equally rare are kept is chance in max_features: Millrace's are
        # taken, so that all score by the same model.
        terms = [line.split("\t")[0] for line in open(model_file).read().splitlines()[2:]]
        self.model = make_pipeline(TfidfVectorizer(vocabulary=terms), MultinomialNB())
        self.model.fit([row["text"] for row in rows], [row["label"] for row in rows])
        self.labels = [str(label) for label in self.model.classes_]

    def score(self, rows):
        """Puts `sentiment` into each of the rows."""
        probabilities = self.model.predict_proba([row["text"] for row in rows])
        best = probabilities.argmax(axis=1).tolist()
        for row, label, score in zip(rows, best, probabilities.max(axis=1).tolist()):
            row["sentiment"] = {"label": self.labels[label], "score": score}
        return rows
