"""Bytewax, batches through one predict_proba, orjson; at least once.

usage: kafka_bytewax_batches.py bootstrap input output group rows.ndjson model.tsv
"""

import sys

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.testing import run_main
from kafka_sentiment import Sentiment
from orjson import dumps, loads

BATCH = 2000


def main(bootstrap, source, target, _group, *files):
    sentiment = Sentiment(*files)

    def score(messages):
        """What one batch of the source becomes: `flat_map_batch` hands it over whole."""
        rows = sentiment.score([loads(message.value) for message in messages])
        return [KafkaSinkMessage(None, dumps(row)) for row in rows]

    flow = Dataflow("bench")
    stream = op.input("in", flow, KafkaSource([bootstrap], [source], batch_size=BATCH))
    scored = op.flat_map_batch("score", stream, score)
    settings = {"linger.ms": "5", "batch.size": "1000000"}
    op.output("out", scored, KafkaSink([bootstrap], target, add_config=settings))
    run_main(flow)


if __name__ == "__main__":
    main(*sys.argv[1:])
