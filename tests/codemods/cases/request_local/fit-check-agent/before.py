# slot: FitCheckAgent._callback_holder
"""The agent."""
import time


class FitCheckAgent:
    """
    High-level interface.
    """

    def __init__(self):
        """Initialize the agent."""
        self._callback_holder = {}

    async def analyze(self, query: str, model_id: str = None) -> str:
        # Build pipeline without callback
        pipeline = build_pipeline(self._callback_holder)
        return await pipeline.run(query)

    async def stream_analysis(self, query: str, callback, model_id: str = None):
        start_time = time.time()

        # Set callback for pipeline nodes
        self._callback_holder["callback"] = callback

        try:
            # Build pipeline with callback
            pipeline = build_pipeline(self._callback_holder)

            async for chunk in pipeline.stream(query):
                yield chunk, time.time() - start_time
        finally:
            # Clear callback reference
            self._callback_holder.pop("callback", None)
