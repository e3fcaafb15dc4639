package org.densehook.elasticsearch;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.util.SetOnce;
import org.densehook.elasticsearch.analysis.EnglishAnalysis;
import org.densehook.elasticsearch.compat.Actions;
import org.densehook.elasticsearch.compat.BulkPressure;
import org.densehook.elasticsearch.compat.CompatPlugin;
import org.densehook.elasticsearch.failures.RejectionFilter;
import org.densehook.elasticsearch.ingest.EmbedProcessor;
import org.densehook.elasticsearch.mapping.MappingGuard;
import org.densehook.elasticsearch.search.SearchFilter;
import org.densehook.elasticsearch.search.SearchNames;
import org.densehook.elasticsearch.search.SearchServices;
import org.densehook.elasticsearch.service.EncoderPools;
import org.densehook.elasticsearch.service.EncoderService;
import org.densehook.elasticsearch.service.EncoderSettings;
import org.densehook.elasticsearch.service.NodeEncoders;
import org.densehook.elasticsearch.service.RestEncoders;
import org.densehook.elasticsearch.vectors.DocumentEmbedder;
import org.densehook.elasticsearch.vectors.IndexVectorsCache;
import org.densehook.elasticsearch.vectors.StoredDocuments;
import org.densehook.elasticsearch.write.EmbedFilters;
import org.densehook.elasticsearch.write.EmbedSettings;
import org.elasticsearch.action.support.MappedActionFilter;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.common.io.stream.NamedWriteableRegistry;
import org.elasticsearch.common.settings.Setting;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.index.analysis.AnalyzerProvider;
import org.elasticsearch.index.analysis.PreBuiltAnalyzerProviderFactory;
import org.elasticsearch.index.analysis.PreConfiguredTokenFilter;
import org.elasticsearch.index.analysis.TokenFilterFactory;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.elasticsearch.ingest.Processor;
import org.elasticsearch.plugins.AnalysisPlugin;
import org.elasticsearch.plugins.IngestPlugin;
import org.elasticsearch.plugins.SearchPlugin;
import org.elasticsearch.rest.RestHandler;
import org.elasticsearch.search.fetch.subphase.highlight.Highlighter;
import org.elasticsearch.threadpool.ExecutorBuilder;
import org.elasticsearch.xcontent.NamedXContentRegistry;

/** What the plugin adds to a node, by name. */
public final class DensehookPlugin extends CompatPlugin
    implements AnalysisPlugin, IngestPlugin, SearchPlugin {

  private static final String NAME = "densehook";

  // parsers and processors are made before the node's components are
  private final SetOnce<EncoderService> encoders = new SetOnce<>();
  private final SetOnce<ClusterService> clusterService = new SetOnce<>();
  private final SetOnce<SearchServices> searchServices = new SetOnce<>();
  private final SetOnce<DocumentEmbedder> embedder = new SetOnce<>();
  private final SetOnce<StoredDocuments> storedDocuments = new SetOnce<>();
  private final IndexVectorsCache indexVectors = new IndexVectorsCache();
  private final Settings settings;
  private List<MappedActionFilter> filters;

  public DensehookPlugin(Settings settings) {
    this.settings = settings;
  }

  @Override
  public Collection<?> createComponents(PluginServices services) {
    Environment environment = services.environment();
    clusterService.set(services.clusterService());
    encoders.set(
        new EncoderService(
            environment.configDir().resolve(NAME),
            environment.pluginsDir().resolve(NAME).resolve("native"),
            environment.settings(),
            services.clusterService().getClusterSettings(),
            services.threadPool()));
    searchServices.set(
        new SearchServices(
            encoders.get(),
            indexVectors,
            services.indicesService().getFieldFilter(),
            services.threadPool().getThreadContext(),
            services.threadPool().generic()));
    embedder.set(new DocumentEmbedder(encoders.get()));
    storedDocuments.set(new StoredDocuments(services.client(), services.threadPool()));
    BulkPressure pressure = new BulkPressure(services);
    filters =
        new ArrayList<>(
            EmbedFilters.all(
                embedder.get(), storedDocuments.get(), indexVectors, pressure, services));
    filters.add(
        new SearchFilter(
            searchServices::get,
            services.threadPool().getThreadContext(),
            services.clusterService().getClusterSettings()));
    filters.add(new RejectionFilter());
    filters.addAll(
        MappingGuard.filters(
            encoders.get()::facts,
            indexVectors,
            services.clusterService(),
            services.indexNameExpressionResolver(),
            services.client(),
            services.threadPool()));
    services.clusterService().addListener(indexVectors.warming(services.threadPool().generic()));
    return Stream.concat(Stream.of(encoders.get()), pressure.components().stream()).toList();
  }

  @Override
  public Collection<MappedActionFilter> getMappedActionFilters() {
    return filters;
  }

  private NodeEncoders encoders() {
    return encoders.get();
  }

  @Override
  public List<Setting<?>> getSettings() {
    return Stream.of(EncoderSettings.all(), EmbedSettings.all(), SearchNames.settings())
        .flatMap(List::stream)
        .toList();
  }

  @Override
  public List<ExecutorBuilder<?>> getExecutorBuilders(Settings settings) {
    return EncoderPools.builders(settings);
  }

  @Override
  protected void registerActions(Actions actions) {
    EncoderService.registerActions(actions);
    BulkPressure.registerActions(actions);
  }

  @Override
  protected List<RestHandler> restHandlers() {
    return RestEncoders.all();
  }

  @Override
  public Map<String, Processor.Factory> getProcessors(Processor.Parameters parameters) {
    return Map.of(
        EmbedProcessor.TYPE,
        processorFactory(
            (tag, description, config) ->
                EmbedProcessor.create(
                    tag,
                    description,
                    config,
                    new EmbedProcessor.Services(
                        encoders(),
                        embedder.get(),
                        storedDocuments.get(),
                        indexVectors,
                        clusterService.get()::state,
                        parameters.threadContext))));
  }

  @Override
  public List<QueryVectorBuilderSpec<?>> getQueryVectorBuilders() {
    return SearchNames.vectorBuilders(searchServices::get);
  }

  @Override
  public List<QuerySpec<?>> getQueries() {
    return SearchNames.queries(searchServices::get);
  }

  @Override
  public List<RetrieverSpec<?>> getRetrievers() {
    return SearchNames.retrievers(settings, searchServices::get);
  }

  @Override
  public Map<String, Highlighter> getHighlighters() {
    return SearchNames.highlighters(searchServices::get);
  }

  @Override
  public List<NamedXContentRegistry.Entry> getNamedXContent() {
    return SearchNames.plain(settings, searchServices::get);
  }

  @Override
  public List<NamedWriteableRegistry.Entry> getNamedWriteables() {
    return SearchNames.writeables(searchServices::get);
  }

  @Override
  public Map<String, AnalysisProvider<AnalyzerProvider<? extends Analyzer>>> getAnalyzers() {
    return EnglishAnalysis.analyzers();
  }

  @Override
  public List<PreBuiltAnalyzerProviderFactory> getPreBuiltAnalyzerProviderFactories() {
    return EnglishAnalysis.preBuilt();
  }

  @Override
  public List<PreConfiguredTokenFilter> getPreConfiguredTokenFilters() {
    return EnglishAnalysis.preConfiguredFilters();
  }

  @Override
  public Map<String, AnalysisProvider<TokenFilterFactory>> getTokenFilters() {
    return EnglishAnalysis.filters();
  }
}
