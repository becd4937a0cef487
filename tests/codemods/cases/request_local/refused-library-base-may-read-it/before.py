# slot: Admin.list_display
# refused: `ModelAdmin` may use `list_display`: before.py:5


class Admin(ModelAdmin):
    def changelist_view(self, request):
        self.list_display = columns_of(request.user)
        print(self.list_display)
        return super().changelist_view(request)
