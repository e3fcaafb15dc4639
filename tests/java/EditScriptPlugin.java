import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.plugins.Plugin;
import org.elasticsearch.plugins.ScriptPlugin;
import org.elasticsearch.script.ScriptContext;
import org.elasticsearch.script.ScriptEngine;
import org.elasticsearch.script.UpdateCtxMap;
import org.elasticsearch.script.UpdateScript;

/**
 * A script language for updates, as the smallest distribution has none: the script is always {@code
 * edit}, and its parameters say what it does to {@code ctx}: {@code set} puts fields, {@code
 * remove} takes some away, {@code op} is the outcome.
 */
public final class EditScriptPlugin extends Plugin implements ScriptPlugin {

  @Override
  public ScriptEngine getScriptEngine(Settings settings, Collection<ScriptContext<?>> contexts) {
    return new Engine();
  }

  private static final class Engine implements ScriptEngine {

    @Override
    public String getType() {
      return "edit";
    }

    @Override
    public Set<ScriptContext<?>> getSupportedContexts() {
      return Set.of(UpdateScript.CONTEXT);
    }

    @Override
    public <F> F compile(
        String name, String code, ScriptContext<F> context, Map<String, String> options) {
      UpdateScript.Factory factory = Edit::new;
      return context.factoryClazz.cast(factory);
    }
  }

  private static final class Edit extends UpdateScript {

    private final UpdateCtxMap ctx;

    Edit(Map<String, Object> params, UpdateCtxMap ctx) {
      super(params, ctx);
      this.ctx = ctx;
    }

    @Override
    @SuppressWarnings("unchecked")
    public void execute() {
      Map<String, Object> source = ctx.getSource();
      source.putAll((Map<String, Object>) getParams().getOrDefault("set", Map.of()));
      ((List<String>) getParams().getOrDefault("remove", List.of())).forEach(source::remove);
      ctx.getMetadata().setOp((String) getParams().getOrDefault("op", "index"));
    }
  }
}
