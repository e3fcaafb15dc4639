import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.apache.logging.log4j.LogManager;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/**
 * Runs a node from Elasticsearch's published jars, which come without a start script: modules/ and
 * plugins/ below the home folder, each argument a setting, {@code key=value}.
 */
public final class Launcher {

  private Launcher() {}

  public static void main(String[] args) throws InterruptedException {
    try {
      run(args);
    } catch (Exception | Error e) { // one line that says why, as the start script's server has
      LogManager.getLogger(Launcher.class).error("fatal exception while booting: " + e, e);
      System.exit(1);
    }
    new CountDownLatch(1).await();
  }

  private static void run(String[] args) throws Exception {
    Settings.Builder settings = Settings.builder();
    for (String arg : args) {
      int equals = arg.indexOf('=');
      settings.put(arg.substring(0, equals), arg.substring(equals + 1));
    }
    String name = settings.get("node.name");
    LogConfigurator.setNodeName(name);
    LogConfigurator.configureESLogging();
    Path config = Path.of(settings.get("path.home"), "config");
    Environment environment =
        InternalSettingsPreparer.prepareEnvironment(settings.build(), Map.of(), config, () -> name);
    LogConfigurator.configure(environment, true);
    PluginsLoader plugins =
        PluginsLoader.createPluginsLoader(
            Bundles.modules(environment.modulesDir()),
            Bundles.plugins(environment.pluginsDir()),
            Map.of());
    Node node = new Node(environment, plugins);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> close(node), "shutdown"));
    node.start();
  }

  private static void close(Node node) {
    try {
      node.close();
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
