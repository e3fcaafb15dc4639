package org.densehook.elasticsearch.service;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.densehook.bundle.Kind;
import org.densehook.bundle.Role;
import org.densehook.encode.Content;
import org.densehook.encode.NumberList;
import org.densehook.encode.Tokens;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.ActionRequest;
import org.elasticsearch.action.ActionRequestValidationException;
import org.elasticsearch.action.ActionResponse;
import org.elasticsearch.action.ActionType;
import org.elasticsearch.action.ValidateActions;
import org.elasticsearch.action.support.ActionFilters;
import org.elasticsearch.action.support.HandledTransportAction;
import org.elasticsearch.action.support.RefCountingListener;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.injection.guice.Inject;
import org.elasticsearch.tasks.Task;
import org.elasticsearch.threadpool.ThreadPool;
import org.elasticsearch.transport.TransportService;
import org.elasticsearch.xcontent.ConstructingObjectParser;
import org.elasticsearch.xcontent.ObjectParser;
import org.elasticsearch.xcontent.ParseField;
import org.elasticsearch.xcontent.ToXContentObject;
import org.elasticsearch.xcontent.XContentBuilder;

/** {@code POST /_densehook/_encode}: what an encoder makes of texts, to look at. */
public final class EncodeAction {

  static final ActionType<Response> TYPE = new ActionType<>("cluster:monitor/densehook/encode");

  private static final int MOST_TEXTS = 1000;

  private EncodeAction() {}

  /**
   * Texts to encode on the node that is asked.
   *
   * @param encoder null for the only one there is
   * @param instruction of queries, in the place of the encoder's own prompt; or null
   */
  public static final class Request extends ActionRequest {

    static final ConstructingObjectParser<Request, Void> PARSER =
        new ConstructingObjectParser<>(
            "densehook_encode",
            false,
            a ->
                new Request(
                    (String) a[0],
                    strings(a[1]),
                    (Role) a[2],
                    strings(a[3]),
                    (String) a[4],
                    numbers((List<?>) a[5])));

    static {
      PARSER.declareString(
          ConstructingObjectParser.optionalConstructorArg(), new ParseField("encoder"));
      PARSER.declareStringArray(
          ConstructingObjectParser.optionalConstructorArg(), new ParseField("texts"));
      PARSER.declareString(
          ConstructingObjectParser.optionalConstructorArg(), Role::of, new ParseField("role"));
      PARSER.declareStringArray(
          ConstructingObjectParser.optionalConstructorArg(), new ParseField("images"));
      PARSER.declareString(
          ConstructingObjectParser.optionalConstructorArg(), new ParseField("instruction"));
      PARSER.declareField(
          ConstructingObjectParser.optionalConstructorArg(),
          (parser, context) -> parser.list(),
          new ParseField("numbers"),
          ObjectParser.ValueType.VALUE_ARRAY);
    }

    private final String encoder;
    private final List<String> texts;
    private final Role role;
    private final List<String> images;
    private final String instruction;
    private final List<String> numbers;

    Request(
        String encoder,
        List<String> texts,
        Role role,
        List<String> images,
        String instruction,
        List<String> numbers) {
      if (texts == null && images == null && numbers == null) {
        throw new IllegalArgumentException(
            "needs [texts], [images] or [numbers]; state what to encode");
      }
      this.encoder = encoder;
      this.texts = texts == null ? List.of() : texts;
      this.role = role == null ? Role.DOCUMENT : role;
      this.images = images == null ? List.of() : images;
      this.instruction = instruction;
      this.numbers = numbers == null ? List.of() : numbers;
    }

    /** Its texts, then its images, then its lists of numbers. */
    private List<Content> contents() {
      return Stream.<Stream<? extends Content>>of(
              texts.stream().map(text -> new Content.Text(text, instruction)),
              images.stream().map(Content.Image::new),
              numbers.stream().map(Content.Numbers::new))
          .<Content>flatMap(each -> each)
          .toList();
    }

    private static List<String> numbers(List<?> lists) {
      if (lists == null) {
        return null;
      }
      List<String> numbers = new ArrayList<>();
      for (Object list : lists) {
        try {
          numbers.add(NumberList.text(list));
        } catch (IllegalArgumentException e) {
          throw new IllegalArgumentException(
              "list " + numbers.size() + " of [numbers]: " + e.getMessage(), e);
        }
      }
      return numbers;
    }

    Request(StreamInput in) throws IOException {
      super(in);
      Request read =
          Wire.read(
              in,
              (body, version) ->
                  new Request(
                      body.readOptionalString(),
                      body.readStringCollectionAsList(),
                      body.readEnum(Role.class),
                      version < Wire.CONTENTS ? List.of() : body.readStringCollectionAsList(),
                      Wire.readInstruction(body, version),
                      version < Wire.NUMBERS ? List.of() : body.readStringCollectionAsList()));
      encoder = read.encoder;
      texts = read.texts;
      role = read.role;
      images = read.images;
      instruction = read.instruction;
      numbers = read.numbers;
    }

    @Override
    public void writeTo(StreamOutput out) throws IOException {
      super.writeTo(out);
      Wire.write(
          out,
          body -> {
            body.writeOptionalString(encoder);
            body.writeStringCollection(texts);
            body.writeEnum(role);
            body.writeStringCollection(images);
            body.writeOptionalString(instruction);
            body.writeStringCollection(numbers);
          });
    }

    @Override
    public ActionRequestValidationException validate() {
      if (instruction != null && role != Role.QUERY) {
        return ValidateActions.addValidationError(
            "[instruction] is for [role] [query]; leave it out for documents", null);
      }
      if (instruction != null && !(images.isEmpty() && numbers.isEmpty())) {
        return ValidateActions.addValidationError(
            "[instruction] is for [texts]; leave it out for [images] and [numbers]", null);
      }
      int asked = texts.size() + images.size() + numbers.size();
      if (texts.size() > MOST_TEXTS) {
        return ValidateActions.addValidationError(
            "[texts] has " + texts.size() + " texts, at most " + MOST_TEXTS + " are allowed", null);
      }
      return asked <= MOST_TEXTS
          ? null
          : ValidateActions.addValidationError(
              "[texts], [images] and [numbers] are "
                  + asked
                  + ", at most "
                  + MOST_TEXTS
                  + " are allowed",
              null);
    }

    @SuppressWarnings("unchecked")
    private static List<String> strings(Object parsed) {
      return (List<String>) parsed;
    }
  }

  /** A text as the model reads it, and what the encoder gave for it. */
  record Encoded(long[] ids, int lost, float[] row) {

    static Encoded of(Tokens tokens, float[] row) {
      return new Encoded(tokens.ids(), tokens.lost(), row);
    }
  }

  /** The encodings of texts, images and lists of numbers, in their order. */
  public static final class Response extends ActionResponse implements ToXContentObject {

    private final EncoderHandle encoder;
    private final List<Content> contents;
    private final List<Encoded> encoded;
    private final int texts;
    private final int images;

    /** The first so many are of texts, then of images, the others of numbers. */
    Response(
        EncoderHandle encoder,
        List<Content> contents,
        List<Encoded> encoded,
        int texts,
        int images) {
      this.encoder = encoder;
      this.contents = contents;
      this.encoded = encoded;
      this.texts = texts;
      this.images = images;
    }

    @Override
    public void writeTo(StreamOutput out) {
      throw new UnsupportedOperationException("it is answered where it is asked");
    }

    @Override
    public XContentBuilder toXContent(XContentBuilder builder, Params params) throws IOException {
      builder.startObject();
      builder.field("encoder", encoder.name());
      builder.field("fingerprint", encoder.identity());
      int place = 0;
      builder.startArray("texts");
      for (Encoded text : encoded.subList(0, texts)) {
        builder.startObject();
        builder.array("ids", text.ids());
        builder.field("lost_tokens", text.lost());
        show(builder, text, contents.get(place++));
        builder.endObject();
      }
      builder.endArray();
      int numbers = texts + images;
      if (images > 0) {
        builder.startArray("images");
        for (Encoded image : encoded.subList(texts, numbers)) {
          builder.startObject();
          show(builder, image, contents.get(place++));
          builder.endObject();
        }
        builder.endArray();
      }
      if (numbers < encoded.size()) {
        builder.startArray("numbers");
        for (Encoded list : encoded.subList(numbers, encoded.size())) {
          builder.startObject();
          builder.field("lost_numbers", list.lost());
          show(builder, list, contents.get(place++));
          builder.endObject();
        }
        builder.endArray();
      }
      return builder.endObject();
    }

    private void show(XContentBuilder builder, Encoded one, Content of) throws IOException {
      Set<Kind> kinds = encoder.kinds(of);
      for (Kind kind : kinds) {
        ShownRow shown = ShownRow.BY_KIND.get(kind);
        float[] row = encoder.row(kind, kinds, one.row());
        builder.field(shown.key(), shown.value().apply(encoder, row));
      }
    }
  }

  /** Encodes on this node. */
  // public for Guice, which makes it
  public static final class Transport extends HandledTransportAction<Request, Response> {

    private final EncoderService encoders;

    @Inject
    public Transport(
        TransportService transportService,
        ActionFilters actionFilters,
        EncoderService encoders,
        ThreadPool threadPool) {
      super(TYPE.name(), transportService, actionFilters, Request::new, threadPool.generic());
      this.encoders = encoders;
    }

    @Override
    protected void doExecute(Task task, Request request, ActionListener<Response> listener) {
      EncoderHandle encoder = encoders.require(request.encoder);
      List<Content> contents = request.contents();
      Encoded[] encoded = new Encoded[contents.size()];
      ActionListener<Void> all =
          encoders
              .preserved(listener)
              .map(
                  done ->
                      new Response(
                          encoder,
                          contents,
                          List.of(encoded),
                          request.texts.size(),
                          request.images.size()));
      try (RefCountingListener refs = new RefCountingListener(all)) {
        List<DocumentFeed.Text> texts = new ArrayList<>();
        for (int i = 0; i < encoded.length; i++) {
          int position = i;
          texts.add(
              new DocumentFeed.Text(
                  contents.get(i),
                  null,
                  List.of(),
                  encoder.kinds(contents.get(i)),
                  refs.acquire(text -> encoded[position] = text)));
        }
        if (request.role == Role.DOCUMENT) {
          encoders.encodeDocuments(encoder, request, texts.iterator());
        } else {
          texts.forEach(text -> encoders.encodeQuery(encoder, text.content(), text.listener()));
        }
      }
    }
  }
}
