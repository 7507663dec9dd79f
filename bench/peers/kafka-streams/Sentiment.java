import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;

/** Count vectoriser, tf-idf and multinomial naive Bayes, as bench/kafka-model.ts wrote them. Of one thread. */
final class Sentiment {
  private final ObjectMapper mapper = new ObjectMapper();
  private final HashMap<String, Integer> columns = new HashMap<>();
  private final String[] labels;
  private final double[] priors;
  private final double[] idf;
  private final double[] weights;
  private final int[] counts;
  private int[] touched = new int[256];

  Sentiment(Path file) throws IOException {
    List<String> lines = Files.readAllLines(file);
    labels = lines.get(0).split("\t");
    priors = Arrays.stream(lines.get(1).split("\t")).mapToDouble(Double::parseDouble).toArray();
    int terms = lines.size() - 2;
    idf = new double[terms];
    weights = new double[terms * labels.length];
    counts = new int[terms];
    for (int column = 0; column < terms; column++) {
      String[] fields = lines.get(column + 2).split("\t");
      columns.put(fields[0], column);
      idf[column] = Double.parseDouble(fields[1]);
      for (int label = 0; label < labels.length; label++) {
        weights[column * labels.length + label] = Double.parseDouble(fields[2 + label]);
      }
    }
  }

  /** The message with its `sentiment`. */
  byte[] score(byte[] message) {
    try {
      ObjectNode tweet = (ObjectNode) mapper.readTree(message);
      double[] scores = probabilities(tweet.get("text").textValue());
      int best = 0;
      for (int label = 1; label < scores.length; label++) if (scores[label] > scores[best]) best = label;
      tweet.putObject("sentiment").put("label", labels[best]).put("score", scores[best]);
      return mapper.writeValueAsBytes(tweet);
    } catch (IOException error) {
      throw new IllegalStateException(error);
    }
  }

  private double[] probabilities(String text) {
    int found = count(text.toLowerCase());
    double square = 0;
    double[] scores = new double[labels.length];
    for (int index = 0; index < found; index++) {
      int column = touched[index];
      double value = counts[column] * idf[column];
      counts[column] = 0;
      square += value * value;
      for (int label = 0; label < scores.length; label++) {
        scores[label] += value * weights[column * scores.length + label];
      }
    }
    double length = square == 0 ? 1 : Math.sqrt(square);
    double most = Double.NEGATIVE_INFINITY;
    for (int label = 0; label < scores.length; label++) {
      scores[label] = scores[label] / length + priors[label];
      most = Math.max(most, scores[label]);
    }
    double sum = 0;
    for (int label = 0; label < scores.length; label++) sum += scores[label] = Math.exp(scores[label] - most);
    for (int label = 0; label < scores.length; label++) scores[label] /= sum;
    return scores;
  }

  /** Words of two characters and more; returns how many columns they touched. */
  private int count(String text) {
    int found = 0;
    int start = -1;
    for (int at = 0; at <= text.length(); at++) {
      boolean isWord = at < text.length() && (Character.isLetterOrDigit(text.charAt(at)) || text.charAt(at) == '_');
      if (isWord) {
        if (start < 0) start = at;
        continue;
      }
      if (start >= 0 && at - start >= 2) {
        Integer column = columns.get(text.substring(start, at));
        if (column != null && counts[column]++ == 0) {
          if (found == touched.length) touched = Arrays.copyOf(touched, found * 2);
          touched[found++] = column;
        }
      }
      start = -1;
    }
    return found;
  }
}
