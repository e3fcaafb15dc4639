"""Every error densehook raises on purpose.

One line each: what went wrong, the value seen, what to do next.

    DensehookError
    ├── RecipeError             a recipe cannot be read, or contradicts the model folder
    ├── ExportError             a model cannot be turned into a bundle
    │   └── GateError           the exported graph is not equal to PyTorch
    ├── BundleError             a bundle is missing, damaged or of an unknown format
    │   └── SelfTestError       the bundle does not reproduce its golden vectors
    ├── EncodeError             a text cannot be encoded
    ├── ProviderError           an execution provider is not installed, or did not start
    ├── QueueFull               too many texts wait to be encoded; HTTP's 429
    ├── EncoderMismatch         a vector field belongs to another encoder
    ├── CollectionError         a document, query, judgement or run cannot be read
    ├── NoProvenance            an index does not say which encoder its vectors come from
    ├── UnusableDocument        a document cannot be given a vector; a value of a feed, not its end
    ├── VectorError             token vectors that a document holds are damaged
    ├── RequestError            what was asked for cannot be: an unknown mode, fields that clash
    ├── ClusterUnreachable      nothing answers at the address
    ├── ClusterUnavailable      the cluster was busy or gone for longer than one waits
    ├── NotElasticsearch        something else than Elasticsearch answers there
    ├── NotInService            the cluster lacks the plugin, or the encoder that is asked for
    ├── CheckpointError         what says how far a feed came cannot be read or written
    ├── ElasticError            Elasticsearch refused or failed a request
    │   ├── AuthenticationFailed
    │   ├── ClientMismatch      the client is of a version that the cluster does not understand
    │   ├── IndexNotFound
    │   └── IndexExists
    ├── NodeError               the local node cannot be installed, started or stopped
    ├── EvaluationError         Pyserini failed
    ├── JavaNotFound            no Java runtime of the version needed
    ├── MissingExtra            an optional dependency is not installed
    └── MissingTool             the tool that an integration is for is not installed
"""

from __future__ import annotations

from importlib.util import find_spec


class DensehookError(Exception):
    """Root of all errors raised by densehook."""


class RecipeError(DensehookError):
    """A recipe cannot be read, or contradicts the model folder."""


class ExportError(DensehookError):
    """A model cannot be turned into a bundle."""


class GateError(ExportError):
    """The exported graph is not equal to PyTorch."""


class BundleError(DensehookError):
    """A bundle is missing, damaged or of an unknown format."""


class SelfTestError(BundleError):
    """The bundle does not reproduce its golden token ids or vectors."""


class EncodeError(DensehookError):
    """A text cannot be encoded; ``position`` is its place among the texts given."""

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.position = position


class ProviderError(DensehookError):
    """An execution provider of onnxruntime is not installed, or did not start."""


class QueueFull(DensehookError):
    """Too many texts wait to be encoded; as HTTP's 429, try again later."""


class EncoderMismatch(DensehookError):
    """The vector field was made for another encoder."""


class CollectionError(DensehookError):
    """A document, query, judgement or run cannot be read."""


class NoProvenance(DensehookError):
    """An index does not say which encoder its vectors come from."""


class UnusableDocument(DensehookError):
    """A document cannot be given a vector; a value of a feed, never its end."""


class VectorError(DensehookError):
    """Token vectors that a document holds are damaged."""


class RequestError(DensehookError):
    """What was asked for cannot be done, whatever the cluster."""


class FieldTaken(RequestError):
    """An index has something else where a vector field is to be; a new one could take its place."""


class ClusterUnreachable(DensehookError):
    """Nothing answers at the cluster's address."""


class ClusterUnavailable(DensehookError):
    """The cluster was busy, or gone, for longer than one waits; later it may go on."""


class NotElasticsearch(DensehookError):
    """What answers at the cluster's address is something else: a proxy, another server."""


class NotInService(DensehookError):
    """The cluster has no plugin, or not the encoder that is asked for."""


class ElasticError(DensehookError):
    """Elasticsearch refused or failed a request."""


class AuthenticationFailed(ElasticError):
    """The cluster does not accept the credentials."""


class ClientMismatch(ElasticError):
    """The client is of a version that the cluster does not understand."""


class CheckpointError(DensehookError):
    """What says how far a feed came, a file or a document, cannot be read or written."""


class IndexNotFound(ElasticError):
    """The index does not exist."""


class IndexExists(ElasticError):
    """An index, or an alias, of that name is there already."""


class NodeError(DensehookError):
    """The local node cannot be installed, started or stopped."""


class EvaluationError(DensehookError):
    """Pyserini failed while indexing, searching or measuring."""


class JavaNotFound(DensehookError):
    """No Java runtime of the version needed."""


class MissingExtra(DensehookError):
    """An optional dependency is not installed."""

    def __init__(self, module: str, extra: str) -> None:
        super().__init__(
            f"{module} is not installed; install it with: pip install 'densehook[{extra}]'"
        )


def missing_of(*modules: str) -> str | None:
    """The first of some top-level modules that is not installed; none is imported."""
    return next((module for module in modules if find_spec(module) is None), None)


class MissingTool(DensehookError, ImportError):
    """The tool that an integration is for is not installed; also an ImportError."""

    def __init__(self, module: str, package: str, integration: str) -> None:
        super().__init__(
            f"{module} is not installed, for which {integration} is; install it with:"
            f" pip install {package}"
        )
