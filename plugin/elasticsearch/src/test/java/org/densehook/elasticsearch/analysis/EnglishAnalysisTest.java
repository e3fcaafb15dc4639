package org.densehook.elasticsearch.analysis;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.analysis.standard.StandardTokenizer;
import org.apache.lucene.analysis.tokenattributes.CharTermAttribute;
import org.apache.lucene.analysis.tokenattributes.OffsetAttribute;
import org.apache.lucene.analysis.tokenattributes.PositionIncrementAttribute;
import org.elasticsearch.index.analysis.TokenFilterFactory;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.junit.jupiter.api.Test;

class EnglishAnalysisTest {

  private static final String LETTERS = "abcdeEIstingly's’S .,-1é日本😀İ\u0000\n";
  private static final List<String> WORDS =
      List.of("The", "cats'", "John’s", "running", "NOT", "generously", "of", "日本語", "e.g.", "");

  @Test
  void itsPartsInTheirOrderAreLucenesAnalyzer() throws IOException {
    Random chance = new Random(7);
    for (int i = 0; i < 500; i++) {
      String text = text(chance);
      try (EnglishAnalyzer lucene = new EnglishAnalyzer()) {
        assertEquals(tokens(lucene.tokenStream("f", text)), tokens(parts(text)), text);
      }
    }
  }

  private static TokenStream parts(String text) throws IOException {
    StandardTokenizer tokenizer = new StandardTokenizer();
    tokenizer.setReader(new StringReader(text));
    TokenStream stream = tokenizer;
    for (AnalysisProvider<TokenFilterFactory> filter : EnglishAnalysis.filters().values()) {
      stream = filter.get(null, null, "part", null).create(stream);
    }
    return stream;
  }

  /** Each token with its place in the text and the words left out before it. */
  private static List<String> tokens(TokenStream stream) throws IOException {
    List<String> tokens = new ArrayList<>();
    try (stream) {
      CharTermAttribute term = stream.addAttribute(CharTermAttribute.class);
      OffsetAttribute offset = stream.addAttribute(OffsetAttribute.class);
      PositionIncrementAttribute step = stream.addAttribute(PositionIncrementAttribute.class);
      stream.reset();
      while (stream.incrementToken()) {
        tokens.add(
            "%s %d-%d +%d"
                .formatted(
                    term, offset.startOffset(), offset.endOffset(), step.getPositionIncrement()));
      }
      stream.end();
    }
    return tokens;
  }

  private static String text(Random chance) {
    StringBuilder text = new StringBuilder();
    for (int i = chance.nextInt(40); i > 0; i--) {
      if (chance.nextBoolean()) {
        text.append(WORDS.get(chance.nextInt(WORDS.size()))).append(' ');
      } else {
        text.append(LETTERS.charAt(chance.nextInt(LETTERS.length())));
      }
    }
    return text.toString();
  }
}
