# slot: Agent._größe
class Agent:
	def __init__(self):
		self._größe = {}

	def messen(self, wert):
		self._größe["wert"] = (
			wert,  # ein Maß
			"日本",
		)
		try:
			return zeigen(self._größe, einheit="ä")
		finally:
			del self._größe["wert"]
