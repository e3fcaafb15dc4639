import java.nio.file.Path;
import java.util.Set;
import org.elasticsearch.plugins.PluginBundle;
import org.elasticsearch.plugins.PluginsLoader;

/** What lies in a node's folders of modules and plugins. */
final class Bundles {

  private Bundles() {}

  static Set<PluginBundle> modules(Path folder) throws java.io.IOException {
    return PluginsLoader.loadModulesBundles(folder, false);
  }

  static Set<PluginBundle> plugins(Path folder) throws java.io.IOException {
    return PluginsLoader.loadPluginsBundles(folder, false);
  }
}
