"""The key-value cache at work: how large it is, moving it, finding prefixes in it, filling it chunk by chunk.

Full-attention layers grow with the context, sliding windows stop at their length, linear attention and state-space
layers keep one state whatever the length, latent attention keeps one short vector (DeepSeek-AI 2024).
"""

import numpy as np

from computemarket.model.core.arrays import Floats
from computemarket.model.hardware.performance.roofline import Replica, prefill_s
from computemarket.model.hardware.specs.models import Models

_STATE_BYTES = 2.0  # recurrent states are kept in 16 bits


def sequence_bytes(models: Models, tokens: Floats | float, value_bytes: Floats | float) -> Floats:
    """Return the cache of one sequence of so many tokens over all layers and chips, B."""
    length = np.asarray(tokens, dtype=np.float64)
    values = (models.cache_values + models.indexer_values) * length
    values = values + models.window_values * np.minimum(length, models.window_tokens)
    return np.asarray(values * value_bytes + models.state_values * _STATE_BYTES)


def transfer_s(moved_bytes: Floats, link_b_s: Floats | float, links: Floats | float = 1.0) -> Floats:
    """Return the time to move a prompt's cache from prefill to decode workers, ``bytes/(links x link)``, s.

    Parameters
    ----------
    link_b_s : one-way bandwidth of one link as achieved
    links : links in parallel: those of the smaller of the two workers
    """
    return np.asarray(moved_bytes / (np.asarray(link_b_s) * links))


def exposed_transfer_s(
    transfer: Floats, prompt_s: Floats, layers: Floats | float, streamed: bool = True
) -> Floats:
    """Return the part of a transfer that delays the first token, s.

    Streamed layer by layer, a layer's cache moves while the next is computed (Patel et al. 2024, Splitwise): what is
    left is the last layer, or what the link cannot keep up with. Otherwise everything waits for the last layer.
    """
    if not streamed:
        return np.asarray(transfer)
    hidden = prompt_s * (1.0 - 1.0 / np.asarray(layers))
    return np.maximum(transfer - hidden, transfer / np.asarray(layers))


def link_load(request_rate: Floats, moved_bytes: Floats, link_b_s: Floats | float) -> Floats:
    """Return the share of a link that cache transfers fill, ``rate x bytes/link``; above one they queue without end."""
    return np.asarray(request_rate * moved_bytes / np.asarray(link_b_s))


def prefix_prefill_s(replica: Replica, length: Floats, cached_share: Floats | float) -> Floats:
    """Return the time of a prompt of which a share is found in the cache, s.

    The fresh tokens F alone are computed, but each attends to the C cached ones: ``F C + F^2/2`` pairs, those of a
    prompt of length ``2 C + F`` that counts F tokens.
    """
    cached = np.asarray(length) * cached_share
    fresh = np.maximum(length - cached, 1.0)
    return prefill_s(replica, fresh, 2.0 * cached + fresh)


def chunked_prefill_s(replica: Replica, length: float, chunk: float) -> Floats:
    """Return the time of a prompt processed in chunks, s: every chunk reads the weights and pays a step's fixed time.

    Chunk k of c tokens attends to the ``(k - 1) c`` before it and to itself (Agrawal et al. 2024, Sarathi-Serve).
    """
    done, total = 0.0, np.zeros(())
    while done < length:
        fresh = min(chunk, length - done)
        total = total + prefill_s(replica, np.asarray(fresh), np.asarray(2.0 * done + fresh))
        done += fresh
    return np.asarray(total)
