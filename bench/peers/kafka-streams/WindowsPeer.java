import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.state.Stores;

/** bootstrap input output counts group directory threads: windows and rolling sums until it is ended. */
public final class WindowsPeer {
  private static final ObjectMapper mapper = new ObjectMapper();

  public static void main(String[] args) {
    Properties settings = new Properties();
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[0]);
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, args[4]);
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, args[5]);
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, args[6]);
    settings.put("auto.offset.reset", "earliest");
    // What a person who cares for speed sets: larger batches and polls, a short linger, more cache.
    settings.put("producer.batch.size", "262144");
    settings.put("producer.linger.ms", "5");
    settings.put("consumer.max.poll.records", "5000");
    settings.put("buffered.records.per.partition", "5000");
    settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 64L * 1024 * 1024);

    StreamsBuilder builder = new StreamsBuilder();
    builder.addStateStore(
        Stores.keyValueStoreBuilder(
                Stores.persistentKeyValueStore(RollingSum.SUMS), Serdes.String(), Serdes.Bytes())
            .withCachingEnabled());
    builder.addStateStore(
        Stores.keyValueStoreBuilder(
            Stores.persistentKeyValueStore(RollingSum.VALUES), Serdes.Bytes(), Serdes.Double()));
    KStream<String, byte[]> payments =
        builder.stream(args[1], Consumed.with(Serdes.String(), Serdes.ByteArray()));
    payments
        .processValues(() -> new RollingSum(mapper), RollingSum.SUMS, RollingSum.VALUES)
        .to(args[2], Produced.with(Serdes.String(), Serdes.ByteArray()));
    payments
        .groupByKey(Grouped.with(Serdes.String(), Serdes.ByteArray()))
        .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMinutes(1), Duration.ofSeconds(10)))
        .count()
        .suppress(Suppressed.untilWindowCloses(Suppressed.BufferConfig.unbounded()))
        .toStream()
        .map((window, count) -> KeyValue.pair(window.key(), result(window, count)))
        .to(args[3], Produced.with(Serdes.String(), Serdes.ByteArray()));
    KafkaStreams streams = new KafkaStreams(builder.build(), settings);
    streams.setUncaughtExceptionHandler(error -> {
      error.printStackTrace();
      Runtime.getRuntime().halt(1);
      return null;
    });
    Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
    streams.start();
  }

  private static byte[] result(Windowed<String> window, long count) {
    ObjectNode result = mapper.createObjectNode();
    result.put("key", window.key());
    result.put("start", Instant.ofEpochMilli(window.window().start()).toString());
    result.put("end", Instant.ofEpochMilli(window.window().end()).toString());
    result.put("payments", count);
    try {
      return mapper.writeValueAsBytes(result);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }
}
