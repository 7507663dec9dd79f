import java.nio.file.Path;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;

/** bootstrap input output group model guarantee threads: scores topic to topic until it is ended. */
public final class StreamsPeer {
  public static void main(String[] args) {
    Properties settings = new Properties();
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[0]);
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, args[3]);
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, args[5]);
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, args[6]);
    settings.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.ByteArray().getClass());
    settings.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.ByteArray().getClass());
    settings.put(StreamsConfig.STATE_DIR_CONFIG, System.getProperty("java.io.tmpdir"));
    settings.put("auto.offset.reset", "earliest");
    // What a person who cares for speed sets: larger batches and polls, a short linger.
    settings.put("producer.batch.size", "262144");
    settings.put("producer.linger.ms", "5");
    settings.put("consumer.max.poll.records", "5000");
    settings.put("buffered.records.per.partition", "5000");

    Path model = Path.of(args[4]);
    ThreadLocal<Sentiment> sentiment = ThreadLocal.withInitial(() -> {
      try {
        return new Sentiment(model);
      } catch (java.io.IOException error) {
        throw new IllegalStateException(error);
      }
    });
    StreamsBuilder builder = new StreamsBuilder();
    builder.<byte[], byte[]>stream(args[1]).mapValues(value -> sentiment.get().score(value)).to(args[2]);
    KafkaStreams streams = new KafkaStreams(builder.build(), settings);
    streams.setUncaughtExceptionHandler(error -> {
      error.printStackTrace();
      Runtime.getRuntime().halt(1);
      return null;
    });
    Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
    streams.start();
  }
}
