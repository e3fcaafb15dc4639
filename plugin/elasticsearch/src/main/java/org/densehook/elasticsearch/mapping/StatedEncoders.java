package org.densehook.elasticsearch.mapping;

import java.util.ArrayList;
import java.util.List;
import org.densehook.bundle.Kind;
import org.densehook.elasticsearch.service.EncoderFacts;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.densehook.elasticsearch.vectors.FieldFormat;
import org.densehook.elasticsearch.vectors.IndexVectors;
import org.densehook.elasticsearch.vectors.IndexVectors.MappedField;
import org.densehook.elasticsearch.vectors.Modality;

/** Judges the encoders that {@code _meta.densehook} names by those there are. */
final class StatedEncoders {

  private StatedEncoders() {}

  /**
   * What is wrong, field by field.
   *
   * @param embeds whether nodes fill the fields; else somebody outside may have the encoder
   */
  static List<Finding> findings(IndexVectors mapping, boolean embeds, KnownEncoders known) {
    List<Finding> findings = new ArrayList<>();
    for (EmbeddedField field : mapping.fields().values()) {
      EncoderFacts encoder = known.of(field);
      if (encoder == null) {
        findings.add(missing(field, embeds, known));
      } else {
        fit(mapping, field, encoder, findings);
      }
    }
    return findings;
  }

  private static Finding missing(EmbeddedField field, boolean embeds, KnownEncoders known) {
    String key = "[" + StatedVectors.META + ".fields." + field.name();
    List<String> others = known.fingerprints(field.encoder());
    if (!others.isEmpty()) {
      return Finding.fault(
          key
              + ".fingerprint]: it is ["
              + field.fingerprint()
              + "], but encoder ["
              + field.encoder()
              + "] is in service here with "
              + others
              + "; state that, or the name of the encoder whose vectors these are");
    }
    if (known.isLoading(field.encoder())) {
      return new Finding(
          embeds ? Finding.Kind.LATER : Finding.Kind.WARNING,
          key
              + ".encoder]: encoder ["
              + field.encoder()
              + "] is still loading, its fingerprint cannot be compared yet; try again in a few"
              + " seconds");
    }
    return new Finding(
        embeds && known.complete() ? Finding.Kind.FAULT : Finding.Kind.WARNING,
        key
            + ".encoder]: no node has an encoder ["
            + field.encoder()
            + "] in service"
            + (known.names().isEmpty() ? "" : ", there are " + known.names())
            + "; put its bundle into config/densehook/"
            + field.encoder()
            + " of the nodes and POST /_densehook/encoders/_reload");
  }

  private static void fit(
      IndexVectors mapping, EmbeddedField field, EncoderFacts encoder, List<Finding> findings) {
    MappedField mapped = mapping.field(field.name());
    if (mapped == null || !FieldFormat.knowsType(mapped.type())) {
      return; // others say so
    }
    String objection = FieldFormat.objection(mapped, encoder);
    if (objection == null) {
      Kind held = FieldFormat.held(mapped, encoder.kinds());
      objection = objection(field.text().modality(), held, encoder);
    }
    if (objection != null) {
      findings.add(
          Finding.fault(
              "["
                  + StatedVectors.META
                  + ".fields."
                  + field.name()
                  + "]: ["
                  + field.name()
                  + "] "
                  + objection));
    }
  }

  /** What an encoder does not read of what a field is made of; null where it does. */
  private static String objection(Modality modality, Kind given, EncoderFacts encoder) {
    Kind own = encoder.kind();
    if (modality.isReadBy(own, given)) {
      return null;
    }
    String made = "is made of " + modality.many() + ", and encoder [" + encoder.name() + "] ";
    String read = Modality.readBy(own, given) + " alone; ";
    return own == given
        ? made
            + "is of kind ["
            + own
            + "], which reads "
            + read
            + "name one of kind "
            + modality.kinds()
        : made
            + "gives what is of kind ["
            + given
            + "] for "
            + read
            + "state that [modality], or name another encoder";
  }
}
