"""Quix Streams, one predict_proba a message, as its guide writes a classifier; at least once.

usage: kafka_quix_each.py bootstrap input output group rows.ndjson model.tsv
"""

import sys

from kafka_sentiment import Sentiment
from quixstreams import Application


def main(bootstrap, source, target, group, *files):
    sentiment = Sentiment(*files)
    app = Application(
        broker_address=bootstrap,
        consumer_group=group,
        auto_offset_reset="earliest",
        auto_create_topics=False,
        loglevel="WARNING",
    )
    stream = app.dataframe(app.topic(source, value_deserializer="json"))
    stream = stream.apply(lambda row: sentiment.score([row])[0])
    stream.to_topic(app.topic(target, value_serializer="json"))
    app.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
