package org.densehook.elasticsearch.analysis;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.LowerCaseFilter;
import org.apache.lucene.analysis.StopFilter;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.analysis.en.EnglishPossessiveFilter;
import org.apache.lucene.analysis.en.PorterStemFilter;
import org.elasticsearch.index.analysis.AnalyzerProvider;
import org.elasticsearch.index.analysis.AnalyzerScope;
import org.elasticsearch.index.analysis.PreBuiltAnalyzerProviderFactory;
import org.elasticsearch.index.analysis.PreConfiguredTokenFilter;
import org.elasticsearch.index.analysis.TokenFilterFactory;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.elasticsearch.indices.analysis.PreBuiltCacheFactory.CachingStrategy;

/**
 * Lucene's EnglishAnalyzer, the one Anserini indexes with, and its parts.
 *
 * <p>Elasticsearch's own {@code english} and the filters it is made of are in a module that small
 * distributions lack; these are always there.
 */
public final class EnglishAnalysis {

  public static final String ANALYZER = "densehook_english";

  /** The parts in their order, after the standard tokenizer. */
  private static final Map<String, Function<TokenStream, TokenStream>> FILTERS =
      new LinkedHashMap<>();

  static {
    FILTERS.put("densehook_english_possessive", EnglishPossessiveFilter::new);
    FILTERS.put("densehook_lowercase", LowerCaseFilter::new);
    FILTERS.put(
        "densehook_english_stop",
        stream -> new StopFilter(stream, EnglishAnalyzer.getDefaultStopSet()));
    FILTERS.put("densehook_porter_stem", PorterStemFilter::new);
  }

  private EnglishAnalysis() {}

  /** For an analyzer of {@code type: densehook_english}. */
  public static Map<String, AnalysisProvider<AnalyzerProvider<? extends Analyzer>>> analyzers() {
    return Map.of(ANALYZER, (indexSettings, environment, name, settings) -> new Provided(name));
  }

  /** For mappings and requests that name the analyzer as it is. */
  public static List<PreBuiltAnalyzerProviderFactory> preBuilt() {
    Supplier<Analyzer> analyzer = EnglishAnalyzer::new;
    return List.of(new PreBuiltAnalyzerProviderFactory(ANALYZER, CachingStrategy.ONE, analyzer));
  }

  /** For custom analyzers that name the parts. */
  public static List<PreConfiguredTokenFilter> preConfiguredFilters() {
    return FILTERS.entrySet().stream()
        .map(
            filter ->
                PreConfiguredTokenFilter.singleton(
                    filter.getKey(), normalises(filter.getKey()), filter.getValue()))
        .toList();
  }

  /** For filters of one of the parts' types. */
  public static Map<String, AnalysisProvider<TokenFilterFactory>> filters() {
    Map<String, AnalysisProvider<TokenFilterFactory>> filters = new LinkedHashMap<>();
    FILTERS.forEach(
        (type, create) ->
            filters.put(
                type,
                (indexSettings, environment, name, settings) ->
                    new Filter(name, create, normalises(type))));
    return filters;
  }

  // EnglishAnalyzer lowercases wildcards and prefixes too, and does nothing else to them
  private static boolean normalises(String filter) {
    return filter.equals("densehook_lowercase");
  }

  private record Provided(String name) implements AnalyzerProvider<EnglishAnalyzer> {

    private static final EnglishAnalyzer ENGLISH = new EnglishAnalyzer();

    @Override
    public AnalyzerScope scope() {
      return AnalyzerScope.INDICES;
    }

    @Override
    public EnglishAnalyzer get() {
      return ENGLISH;
    }
  }

  private record Filter(String name, Function<TokenStream, TokenStream> create, boolean normalises)
      implements TokenFilterFactory {

    @Override
    public TokenStream create(TokenStream stream) {
      return create.apply(stream);
    }

    @Override
    public TokenStream normalize(TokenStream stream) {
      return normalises ? create.apply(stream) : stream;
    }
  }
}
