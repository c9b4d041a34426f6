"""What people see: reports in, cards out. Pure; no platform, no store, no clock.

A card carries no topic here, since it is the same whether it answers a command or stands in a chat by itself.
``handlers.notifications`` says which topic a card stands for, ``handlers.topics`` how loud that is.
"""
