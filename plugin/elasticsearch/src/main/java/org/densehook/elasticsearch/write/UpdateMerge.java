package org.densehook.elasticsearch.write;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.densehook.elasticsearch.vectors.DocumentSource;
import org.densehook.elasticsearch.vectors.EmbedOrder;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.densehook.elasticsearch.vectors.PartialDocument;
import org.elasticsearch.action.DocWriteRequest;
import org.elasticsearch.action.DocWriteResponse;
import org.elasticsearch.action.delete.DeleteRequest;
import org.elasticsearch.action.get.GetResponse;
import org.elasticsearch.action.index.IndexRequest;
import org.elasticsearch.action.update.UpdateRequest;
import org.elasticsearch.common.xcontent.XContentHelper;
import org.elasticsearch.core.Tuple;
import org.elasticsearch.index.VersionType;
import org.elasticsearch.index.engine.DocumentMissingException;
import org.elasticsearch.index.engine.DocumentSourceMissingException;
import org.elasticsearch.index.engine.VersionConflictEngineException;
import org.elasticsearch.index.mapper.MapperService;
import org.elasticsearch.index.mapper.RoutingFieldMapper;
import org.elasticsearch.index.seqno.SequenceNumbers;
import org.elasticsearch.index.shard.ShardId;
import org.elasticsearch.script.ScriptService;
import org.elasticsearch.script.UpdateCtxMap;
import org.elasticsearch.script.UpdateScript;
import org.elasticsearch.script.UpsertCtxMap;
import org.elasticsearch.xcontent.XContentType;

/**
 * What an update of a bulk makes of the stored document.
 *
 * <p>Elasticsearch merges on the primary, where nothing can make a vector any more; here the same
 * is done before, and the outcome replaces exactly the document that was read. The rules are those
 * of Elasticsearch's {@code UpdateHelper}.
 *
 * @param request what is carried out instead: an IndexRequest, a DeleteRequest, or null for nothing
 * @param result what the update answers when that succeeds; NOOP beside an IndexRequest of a
 *     document that does not change, unless it lacks a vector
 * @param source the document after it, as a map; null for one that is created as it was sent
 * @param before the document as it was read; null when there was none, or none is written
 * @param contentType that of the document
 * @param orders the vectors that a pipeline wants made of it
 */
record UpdateMerge(
    DocWriteRequest<?> request,
    DocWriteResponse.Result result,
    Map<String, Object> source,
    Map<String, Object> before,
    XContentType contentType,
    List<EmbedOrder> orders) {

  /** Nothing is carried out; a document that there is stays as it is. */
  private static UpdateMerge nothing(Map<String, Object> source, XContentType type) {
    return new UpdateMerge(null, DocWriteResponse.Result.NOOP, source, null, type, List.of());
  }

  /**
   * Merges.
   *
   * @param stored what was read of the document
   * @param vectorFields those of the index
   * @throws RuntimeException as Elasticsearch would on the primary: the document is missing, is
   *     another than the request says, or has no source; the script fails
   */
  @SuppressWarnings("deprecation") // a stored source does not say of which type it is
  static UpdateMerge of(
      UpdateRequest update,
      GetResponse stored,
      ShardId shard,
      Collection<EmbeddedField> vectorFields,
      ScriptService scripts,
      long now) {
    boolean conditional = update.ifSeqNo() != SequenceNumbers.UNASSIGNED_SEQ_NO;
    if (conditional
        && (!stored.isExists()
            || stored.getSeqNo() != update.ifSeqNo()
            || stored.getPrimaryTerm() != update.ifPrimaryTerm())) {
      throw new VersionConflictEngineException(
          shard,
          update.id(),
          update.ifSeqNo(),
          update.ifPrimaryTerm(),
          stored.getSeqNo(),
          stored.getPrimaryTerm());
    }
    if (!stored.isExists()) {
      return created(update, shard, vectorFields, scripts, now);
    }
    if (stored.isSourceEmpty()) {
      throw new DocumentSourceMissingException(shard, update.id());
    }
    Tuple<XContentType, Map<String, Object>> content =
        XContentHelper.convertToMap(stored.getSourceInternal(), true);
    return update.script() == null && update.doc() != null
        ? merged(update, stored, vectorFields, content.v1(), content.v2())
        : scripted(update, stored, content.v1(), content.v2(), scripts, now);
  }

  private static UpdateMerge created(
      UpdateRequest update,
      ShardId shard,
      Collection<EmbeddedField> vectorFields,
      ScriptService scripts,
      long now) {
    IndexRequest upsert = update.docAsUpsert() ? update.doc() : update.upsertRequest();
    if (upsert == null) {
      throw new DocumentMissingException(shard, update.id());
    }
    IndexRequest create = new IndexRequest(shard.getIndexName()).id(update.id()).create(true);
    create.routing(update.routing());
    create.setDynamicTemplates(upsert.getDynamicTemplates());
    if (update.versionType() != VersionType.INTERNAL) {
      create.version(update.version()).versionType(update.versionType());
    }
    PartialDocument document = PartialDocument.of(upsert.sourceAsMap(), vectorFields);
    if (update.scriptedUpsert() && update.script() != null) {
      UpdateCtxMap context =
          run(
              update,
              scripts,
              new UpsertCtxMap(
                  shard.getIndexName(), update.id(), "create", now, document.fields()));
      if (!"create".equals(context.getMetadata().getOp())) {
        return nothing(context.getSource(), XContentType.JSON);
      }
      create.source(context.getSource());
    } else if (document.orders().isEmpty()) {
      create.source(upsert.source(), upsert.getContentType()); // as it was sent
    } else {
      create.source(document.fields(), upsert.getContentType());
    }
    return new UpdateMerge(
        create,
        DocWriteResponse.Result.CREATED,
        null,
        null,
        create.getContentType(),
        document.orders());
  }

  private static UpdateMerge merged(
      UpdateRequest update,
      GetResponse stored,
      Collection<EmbeddedField> vectorFields,
      XContentType type,
      Map<String, Object> source) {
    PartialDocument partial = PartialDocument.of(update.doc().sourceAsMap(), vectorFields);
    Map<String, Object> before = DocumentSource.copy(source);
    boolean changed = XContentHelper.update(source, partial.fields(), update.detectNoop());
    return written(
        update,
        stored,
        partial.orders(),
        update.detectNoop() && !changed
            ? DocWriteResponse.Result.NOOP
            : DocWriteResponse.Result.UPDATED,
        type,
        source,
        before);
  }

  private static UpdateMerge scripted(
      UpdateRequest update,
      GetResponse stored,
      XContentType type,
      Map<String, Object> source,
      ScriptService scripts,
      long now) {
    Map<String, Object> before = DocumentSource.copy(source);
    UpdateCtxMap context =
        run(
            update,
            scripts,
            new UpdateCtxMap(
                stored.getIndex(),
                stored.getId(),
                stored.getVersion(),
                routing(update, stored),
                MapperService.SINGLE_MAPPING_NAME,
                "index",
                now,
                source));
    return switch (String.valueOf(context.getMetadata().getOp())) {
      case "index" ->
          written(
              update,
              stored,
              List.of(),
              DocWriteResponse.Result.UPDATED,
              type,
              context.getSource(),
              before);
      case "delete" -> {
        DeleteRequest delete = new DeleteRequest(stored.getIndex(), update.id());
        delete.routing(routing(update, stored));
        delete.setIfSeqNo(stored.getSeqNo()).setIfPrimaryTerm(stored.getPrimaryTerm());
        yield new UpdateMerge(
            delete, DocWriteResponse.Result.DELETED, context.getSource(), null, type, List.of());
      }
      default -> nothing(context.getSource(), type);
    };
  }

  private static UpdateMerge written(
      UpdateRequest update,
      GetResponse stored,
      List<EmbedOrder> orders,
      DocWriteResponse.Result result,
      XContentType type,
      Map<String, Object> source,
      Map<String, Object> before) {
    IndexRequest index = new IndexRequest(stored.getIndex()).id(update.id());
    index.routing(routing(update, stored));
    index.source(source, type);
    index.setIfSeqNo(stored.getSeqNo()).setIfPrimaryTerm(stored.getPrimaryTerm());
    return new UpdateMerge(index, result, source, before, type, orders);
  }

  private static String routing(UpdateRequest update, GetResponse stored) {
    if (update.doc() != null && update.doc().routing() != null) {
      return update.doc().routing();
    }
    return stored.getField(RoutingFieldMapper.NAME) == null
        ? update.routing()
        : stored.getField(RoutingFieldMapper.NAME).getValue().toString();
  }

  private static UpdateCtxMap run(
      UpdateRequest update, ScriptService scripts, UpdateCtxMap context) {
    try {
      UpdateScript.Factory factory = scripts.compile(update.script(), UpdateScript.CONTEXT);
      factory.newInstance(update.script().getParams(), context).execute();
    } catch (Exception e) {
      throw new IllegalArgumentException("failed to execute script", e);
    }
    return context;
  }
}
