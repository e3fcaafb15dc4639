"""A node made of published jars, where no distribution is published: most versions.

It has no x-pack, so no security and no licence. Its start script is Launcher.java.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from ..bundle import replacing
from . import launching, maven
from .process import pidfile_of
from .user import NodeUser

_SERVER = "org.elasticsearch:elasticsearch:{version}"
_TRANSPORT = "org.elasticsearch.plugin:transport-netty4:{version}"
_TRANSPORTS = {
    "8.18": ("8.18.0", "8.18.4", "8.18.8"),
    "8.19": ("8.19.0", "8.19.4", "8.19.6", "8.19.9", "8.19.14", "8.19.20", "8.19.21"),
    "9.0": ("9.0.0", "9.0.1", "9.0.4", "9.0.8"),
    "9.1": ("9.1.0", "9.1.7"),
    "9.2": ("9.2.0", "9.2.2"),
    "9.3": ("9.2.2",),
    "9.5": ("9.5.2", "9.5.3"),
}
"""The transports that are published, by the minor version they serve; not every patch has one."""
_TRANSPORT_JARS = ("transport-netty4-", "elasticsearch-ssl-config-", "netty-")

_TRANSPORT_DESCRIPTOR = """name=transport-netty4
description=HTTP and transport
version={version}
elasticsearch.version={version}
java.version={java}
classname=org.elasticsearch.transport.netty4.Netty4Plugin
modulename=org.elasticsearch.transport.netty4
"""

_LOGGING = """status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] [%node_name] %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
"""


def fetch(version: str, target: Path, java: Path, progress: Callable[[str], None]) -> None:
    """Brings the jars through Maven and lays them out as a node's folder.

    Raises NodeError. ``java`` is a JDK, which compiles the launcher.
    """
    with replacing(target) as staging:
        progress(f"Fetching {version} through Maven")
        for folder in ("lib", "classes", "config", "plugins", "modules/transport-netty4"):
            (staging / folder).mkdir(parents=True)
        maven.copy_with_dependencies(_SERVER.format(version=version), staging / "lib")
        _lay_out_transport(version, staging / "modules" / "transport-netty4")
        (staging / "config" / "log4j2.properties").write_text(_LOGGING)
        launching.compile_for(
            version,
            java / "bin" / "javac",
            staging / "lib",
            ("Launcher", "Bundles"),
            staging / "classes",
        )


def _lay_out_transport(version: str, module: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        transport = _TRANSPORT.format(version=transport_of(version))
        maven.copy_with_dependencies(transport, Path(scratch))
        for jar in Path(scratch).glob("*.jar"):
            if jar.name.startswith(_TRANSPORT_JARS):
                shutil.copy(jar, module)
    descriptor = _TRANSPORT_DESCRIPTOR.format(version=version, java=launching.java_of(version))
    (module / "plugin-descriptor.properties").write_text(descriptor)


def transport_of(version: str) -> str:
    """The version of the transport that a node of this version is given."""
    published = _TRANSPORTS[version.rpartition(".")[0]]
    wanted = launching.numbers(version)
    return [each for each in published if launching.numbers(each) <= wanted][-1]


def launch(
    distribution: Path,
    home: Path,
    user: NodeUser,
    environment: Mapping[str, str],
    settings: Mapping[str, str],
) -> int:
    """Starts the server, which outlives this process; gives its pid."""
    command = [f"{environment['ES_JAVA_HOME']}/bin/java", *environment["ES_JAVA_OPTS"].split()]
    command += [f"-Djava.io.tmpdir={environment['ES_TMPDIR']}"]
    command += ["--add-modules", "jdk.incubator.vector,ALL-MODULE-PATH"]
    command += ["--enable-native-access=ALL-UNNAMED", "--module-path", str(distribution / "lib")]
    command += ["-cp", str(distribution / "classes"), "Launcher", f"path.home={distribution}"]
    command += [f"{key}={value}" for key, value in settings.items()]
    with (home / "logs" / "densehook.log").open("a") as log:
        server = subprocess.Popen(
            command,
            cwd=distribution,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **user.popen(),
        )
    pidfile_of(home).write_text(str(server.pid))
    return server.pid


def add_plugin(
    distribution: Path, archive: Path, name: str, user: NodeUser, environment: Mapping[str, str]
) -> None:
    """Unpacks a plugin into plugins/, in the place of an older one."""
    folder = distribution / "plugins" / name
    shutil.rmtree(folder, ignore_errors=True)
    with zipfile.ZipFile(archive) as content:
        content.extractall(folder)
    user.own(folder)
