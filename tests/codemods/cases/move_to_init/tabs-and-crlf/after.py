# slot: Coach.turns
class Coach:
	def __init__(self):
		self.turns = []
		self.x = 1
