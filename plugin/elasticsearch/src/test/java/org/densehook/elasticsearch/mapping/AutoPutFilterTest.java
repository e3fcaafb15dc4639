package org.densehook.elasticsearch.mapping;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.elasticsearch.action.admin.indices.mapping.put.PutMappingRequest;
import org.elasticsearch.xcontent.XContentType;
import org.junit.jupiter.api.Test;

class AutoPutFilterTest {

  private static String sent(String source) {
    PutMappingRequest request =
        new PutMappingRequest().source(source.replace('\'', '"'), XContentType.JSON);
    AutoPutFilter.removeMeta(request);
    return request.source().replace('"', '\'');
  }

  @Test
  void theNewFieldsGoOnWithoutTheShardsOwnMeta() {
    String fields = "'properties':{'_meta':{'type':'long'}}";
    String meta = "'_meta':{'densehook':{'fields':{}},'owner':'us'}";
    assertEquals("{'_doc':{" + fields + "}}", sent("{'_doc':{" + meta + "," + fields + "}}"));
    assertEquals("{" + fields + "}", sent("{" + fields + "," + meta + "}"));
  }

  @Test
  void anUpdateWithoutOneStaysAsItIs() {
    String source = "{'_doc':{'properties':{'_meta':{'type':'long'}}}}";
    assertEquals(source, sent(source));
  }
}
